"""The one thread that computes: it takes jobs from the queue and answers them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from nightflash.client.protocol import Header, Message, Pixels, error_reply
from nightflash.engine.engine import Engine
from nightflash.engine.memory import explained_memory_errors, give_back
from nightflash.engine.night import Preview, subject_metres
from nightflash.errors import Cancelled, NightFlashError
from nightflash.fullsize.parts import parts
from nightflash.fullsize.region import Region
from nightflash.models.device import why_no_gpu
from nightflash.scene import Scene
from nightflash.server.pictures import photo_pixels, region_pixels, view_pixels
from nightflash.server.queue import JobQueue
from nightflash.server.requests import Job, Work
from nightflash.settings import Settings
from nightflash.stages import NETWORKS, STAGE_WORDS, overall

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.05  # least time between two reports of one stage
SMALLEST_SIZE = 0.06  # MP, under which less memory is no longer asked for

Reply = Callable[[Job, Message], None]


class Worker(threading.Thread):
    """Owns the engine, and with it the device.

    Args:
        queue: Where the jobs come from; the thread ends when it is closed.
        make_engine: Makes the engine for a device: ``auto`` as the user chose, or ``cpu`` where
            its memory does not suffice.
        reply: Takes what is to be sent to a job's client; called from this thread.
        release_after: Seconds without work after which memory is given back.

    Attributes:
        state: ``loading``, ``ready``, ``released`` or ``failed``.
        device, networks: Of the engine, empty until there is one.
        device_note: Why no GPU does the work, or empty.
        weights: Folder of network files, empty until there is an engine.
        fault: Why the state is ``failed``, or empty.
    """

    def __init__(
        self,
        queue: JobQueue,
        make_engine: Callable[[str], Engine],
        reply: Reply,
        release_after: float = float("inf"),
    ) -> None:
        super().__init__(name="worker", daemon=True)
        self.state = "loading"
        self.device = self.device_note = self.weights = self.fault = ""
        self.networks: dict[str, str] = {}
        self._queue = queue
        self._make_engine = make_engine
        self._reply = reply
        self._release_after = release_after
        self._release = threading.Event()
        self._engine: Engine | None = None
        self._spare: Engine | None = None  # on the CPU, once memory did not suffice

    def run(self) -> None:
        """Work until the queue is closed."""
        try:
            self._ready()
        except NightFlashError as fault:
            log.warning("%s", fault)
        except Exception:  # the next job meets it again, and is answered
            log.exception("the networks could not be read")
        idle_since = time.monotonic()
        while not self._queue.closed:
            job = self._queue.take(0.25)
            if job is not None:
                self._do(job)
                idle_since = time.monotonic()
            elif self._release.is_set() or time.monotonic() - idle_since > self._release_after:
                self._give_back()

    def release(self) -> None:
        """Have memory given back as soon as nothing runs; called from any thread."""
        self._release.set()

    def _give_back(self) -> None:
        self._release.clear()
        if self.state == "ready":
            for engine in (self._engine, self._spare):
                if engine is not None:
                    engine.release()
            self._spare = None
            give_back()
            self.state = "released"
            log.info("memory released")

    def _ready(self) -> Engine:
        """The engine with its networks in memory.

        Raises:
            NightFlashError: The device or the networks are not there.
        """
        if self._engine is None or self.state != "ready":
            self.state = "loading"
            try:
                self._engine = self._engine or self._make_engine("auto")
                self.weights = str(self._engine.folder)
                self._load(self._engine)
                self.device = str(self._engine.device)
                self.device_note = why_no_gpu() if self.device == "cpu" else ""
                self.networks = self._engine.networks
            except BaseException as fault:
                self.state, self.fault = "failed", str(fault)
                raise
            self.fault = ""
            self.state = "ready"
            names = ", ".join(dict.fromkeys(self.networks.values()))
            log.info("ready on %s: %s", self.device, names)
        return self._engine

    def _load(self, engine: Engine) -> None:
        """Read the networks; onto the CPU where the device has no room for them."""
        try:
            engine.load()
        except NightFlashError as fault:
            if fault.code != "no_memory" or engine.device.type == "cpu":
                raise
            log.warning("no memory for the networks on %s, taking the processor", engine.device)
            engine.release()
            self._engine = self._on_cpu()

    def _do(self, job: Job) -> None:
        """Run one job; whatever happens, it is answered and this thread goes on."""
        try:
            if job.cancelled.is_set():
                raise Cancelled
            if self.state != "ready":
                self._report_progress(job, NETWORKS, 0.0)
            answer = self._within_memory(job, self._ready())
        except Cancelled:
            answer = error_reply(NightFlashError("The work was stopped.", code="cancelled"))
        except NightFlashError as fault:
            answer = error_reply(fault)
        except Exception as fault:
            log.exception("a request failed")
            answer = error_reply(
                NightFlashError(
                    f"The backend failed at this request ({type(fault).__name__}).",
                    "'nightflash logs' tells more; please report it.",
                    code="internal",
                )
            )
        self._queue.done(job)
        self._reply(job, answer)

    def _within_memory(self, job: Job, engine: Engine) -> Message:
        """Run a job, with less memory or on the CPU where memory does not suffice."""
        work = job.work
        smaller = work.settings.working_size / 2
        attempts: list[tuple[Callable[[], Engine], Settings, str]] = [
            (lambda: engine, work.settings, "")
        ]
        if smaller >= SMALLEST_SIZE:
            note = f"Memory was short, so depth and light were worked out at {smaller:g} MP."
            settings = replace(work.settings, working_size=smaller)
            attempts.append((lambda: engine, settings, note))
        if engine.device.type != "cpu":
            note = f"The memory of {engine.device} was short, so the processor did the work."
            attempts.append((self._on_cpu, work.settings, note))
        for number, (choose, settings, note) in enumerate(attempts):
            try:
                with explained_memory_errors():
                    return self._run(job, choose(), replace(work, settings=settings), note)
            except NightFlashError as fault:
                if fault.code != "no_memory" or number + 1 == len(attempts):
                    raise
                log.warning("out of memory, trying again with less")
            engine.release()  # only now: the failed attempt's tensors hung on its traceback
            engine.load()
        raise AssertionError("every attempt returns or raises")

    def _on_cpu(self) -> Engine:
        self._spare = self._spare or self._make_engine("cpu")
        self._spare.load()
        return self._spare

    def _run(self, job: Job, engine: Engine, work: Work, note: str) -> Message:
        if work.kind == "render":
            return self._render(job, engine, work, note)
        return _preview(job, engine, work, note)

    def _render(self, job: Job, engine: Engine, work: Work, note: str) -> Message:
        reported = ("", 0.0)
        checkpoint = job.checkpoint

        def progress(stage: str, fraction: float) -> None:
            nonlocal reported
            checkpoint()
            if stage != reported[0] or time.monotonic() - reported[1] > PROGRESS_SECONDS:
                self._report_progress(job, stage, overall(work.settings.quality, stage, fraction))
                reported = stage, time.monotonic()
            if (quick := self._queue.take_quick()) is not None:  # one, or they never end
                self._do(quick)
            checkpoint()

        photo, had = work.photo.photo(), work.photo.layout.sample
        sample = work.sample or had
        is_kept_finer = had == "u8" != sample
        night = engine.render(
            *(photo, work.settings, work.aim),
            in_place=work.output != "parts" and not is_kept_finer,
            progress=progress,
            checkpoint=checkpoint,
        )
        pictures = [night.photo]
        if work.output == "parts":
            both = parts(photo.rgb, night.photo.rgb, night.light)
            pictures = [night.photo.with_rgb(part) for part in both]
        checkpoint()
        header = _about(engine, night.scene, work, note) | {"seconds": night.report.seconds}
        return Message(header, [photo_pixels(picture, sample) for picture in pictures])

    def _report_progress(self, job: Job, stage: str, fraction: float) -> None:
        fields = {"stage": stage, "fraction": round(fraction, 4), "message": STAGE_WORDS[stage]}
        self._reply(job, Message({"reply": "progress", **fields}))


def _preview(job: Job, engine: Engine, work: Work, note: str) -> Message:
    started = time.perf_counter()
    working, alpha = work.photo.working(work.settings.working_size)
    aim = work.working_aim(working.dimensions)
    thorough = job.checkpoint if work.kind == "analyse" else None
    preview = engine.preview(working, work.settings, aim, thorough)
    if work.region is None:
        views = [view_pixels(view, preview, alpha) for view in work.views]
    else:
        views = _region(job, engine, work, preview, work.region)
    seconds = {"preview": round(time.perf_counter() - started, 4)}
    fields = {"seconds": seconds, "provisional": preview.provisional}
    return Message(_about(engine, preview.scene, work, note) | fields, views)


def _region(job: Job, engine: Engine, work: Work, preview: Preview, region: Region) -> list[Pixels]:
    job.checkpoint()
    day = night = work.photo.region(region, work.size)
    if "night" in work.views:
        rgb = engine.close_up(preview, day.rgb, region, work.settings, job.checkpoint)
        night = day.with_rgb(rgb)
    return [region_pixels(view, preview, day, night, region) for view in work.views]


def _about(engine: Engine, scene: Scene, work: Work, note: str) -> Header:
    """The header of a result, but for what only one kind of work has."""
    height, width = scene.subject.shape
    return {
        "reply": "result",
        "subject": {
            "box": [round(n, 2) for n in scene.box],
            "from": scene.subject_from,
            "clear": not scene.note,
            "metres": subject_metres(scene),
        },
        "depth": {"from": scene.depth_from},
        "working_size": [width, height],
        "networks": engine.networks_of(scene),
        "device": str(engine.device),
        "notes": [*engine.notes(scene, work.settings.method), *filter(None, [note])],
    }
