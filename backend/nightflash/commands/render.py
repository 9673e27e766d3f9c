"""``nightflash render``: the night of one photo or several."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nightflash.batch.order import NamedAim, read_for
from nightflash.commands import streams
from nightflash.commands.render_options import (
    add_options,
    box,
    check_backend_options,
    check_weights,
    chosen_settings,
    file_quality,
    point,
)
from nightflash.commands.results import (
    Job,
    check_targets,
    make_folder,
    no_empty_folder,
    plan,
)
from nightflash.errors import NightFlashError
from nightflash.settings import Settings
from nightflash.stages import Progress, overall

if TYPE_CHECKING:
    from nightflash.aim import Aim
    from nightflash.engine.night import Night
    from nightflash.photo import Photo

FAULT = 2


def add(commands: Any) -> None:
    """Add the command to argparse's ``commands``."""
    parser = commands.add_parser(
        "render",
        help="make the night of one photo or several",
        usage="nightflash render PHOTO... OUT [OPTIONS]",
        allow_abbrev=False,
    )
    add_options(parser)
    parser.set_defaults(run=_render)


def _render(options: argparse.Namespace) -> int:
    settings = chosen_settings(options)
    aim = NamedAim(
        box(options.subject_box, "--subject-box"),
        tuple(point(text, "--subject-point") for text in options.subject_point),
        tuple(point(text, "--not-point") for text in options.not_point),
        options.subject_mask,
    )
    check_weights(options)
    check_backend_options(options)
    with no_empty_folder(options.paths[-1]):
        return _render_all(options, settings, aim)


def _render_all(
    options: argparse.Namespace,
    settings: Settings,
    named: NamedAim,
) -> int:
    jobs = _checked_jobs(options)
    from nightflash.photo import check_output, write_photo

    quality = file_quality(options.file_quality)
    if len(jobs) == 1:
        check_output(jobs[0].out)
    aim = named.read()
    reports: list[dict[str, Any]] = []
    with ExitStack() as stack:
        maker: Maker | None = None
        for job in jobs:
            try:
                photo = read_for(job.source, job.out, aim)
            except NightFlashError as fault:
                streams.print_error(f"nightflash: {fault}")
                continue
            maker = maker or stack.enter_context(_maker(options, settings.quality == "best"))
            try:
                made = _with_progress(maker, photo, settings, aim, job.source.name)
                lost = write_photo(job.out, made.photo, quality=quality, keep=options.keep)
                _debug(job, made, options)
            except NightFlashError as fault:
                streams.print_error(f"nightflash: {job.source}: {fault}")
                continue
            notes = [*photo.source.notes, *made.report["notes"], *lost]
            names = {"photo": streams.text(job.source), "out": streams.text(job.out)}
            reports.append({**names, **made.report, "notes": notes})
            for note in notes:
                streams.print_error(f"{job.source.name}: {note}")
            if not options.json:
                streams.print_output(str(job.out))
    if options.json and reports:
        streams.print_output(json.dumps(reports[0] if len(jobs) == 1 else {"photos": reports}))
    return 0 if len(reports) == len(jobs) else FAULT


def _debug(job: Job, made: Made, options: argparse.Namespace) -> None:
    """Write what the night was made from, where that is asked for."""
    if made.night is not None and options.debug_dir is not None:
        from nightflash.commands.debug import write_debug

        write_debug(job.debug_files(options.debug_dir), made.night)


def _checked_jobs(options: argparse.Namespace) -> list[Job]:
    """What is to be done, once it is known that nothing of the user's would be overwritten."""
    jobs = plan(options.paths)
    originals = [job.source for job in jobs]
    targets = [job.out for job in jobs]
    if options.subject_mask is not None:
        originals.append(options.subject_mask)
    if options.debug_dir is not None:
        make_folder(options.debug_dir)
        targets += [file for job in jobs for file in job.debug_files(options.debug_dir).values()]
    check_targets(targets, originals)
    return jobs


@dataclass(frozen=True)
class Made:
    """A night, and the report on it.

    Attributes:
        photo: The night.
        report: For ``--json``.
        night: What it was made from, where it was made in this process.
    """

    photo: Photo
    report: Mapping[str, Any]
    night: Night | None = None


Maker = Callable[["Photo", Settings, "Aim", Progress], Made]


@contextmanager
def _maker(options: argparse.Namespace, refines: bool) -> Iterator[Maker]:
    """What makes nights: an engine in this process, or the backend."""
    if options.via_backend is not None:
        from nightflash.client.client import Client
        from nightflash.client.remotes import remote_named
        from nightflash.commands.via_backend import render_remotely

        name = options.via_backend
        with Client(remote=remote_named(name) if name else None) as client:
            yield lambda *work: Made(*render_remotely(client, *work))
        return
    from nightflash.engine.engine import Engine

    engine = Engine(options.networks, options.weights, options.device)
    engine.load(refines)  # what is missing or damaged is told before any photo is read

    def here(photo: Photo, settings: Settings, aim: Aim, progress: Progress) -> Made:
        def stage_by_stage(stage: str, fraction: float) -> None:
            progress(stage, overall(settings.quality, stage, fraction))

        night = engine.render(photo, settings, aim, in_place=True, progress=stage_by_stage)
        return Made(night.photo, asdict(night.report), night)

    yield here


def _with_progress(maker: Maker, photo: Photo, settings: Settings, aim: Aim, name: str) -> Made:
    if not sys.stderr.isatty():
        return maker(photo, settings, aim, lambda stage, done: None)
    from tqdm import tqdm

    layout = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(total=100, desc=name, leave=False, bar_format=layout) as bar:

        def advance(stage: str, done: float) -> None:
            bar.set_description(f"{name}, {stage}", refresh=False)
            bar.n = 100 * done
            bar.refresh()

        return maker(photo, settings, aim, advance)
