"""The backend in a thread of its own, so that the dialog never waits for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gi.repository import GLib
from nightflash.errors import Cancelled, NightFlashError

from plugin.backend import in_words

GOODBYE_SECONDS = 0.3  # for the backend to hear that it is over; one that hangs is left
MOST_SHOWN = 2**24  # pixels that the backend shows of a region


@dataclass
class Listener:
    """What the dialog does with what it hears; called in GIMP's main thread.

    Attributes:
        connected: Takes what the backend says of itself.
        progress: Takes stage, fraction of the whole and a sentence.
        answered: Takes kind of work and the answer.
        failed: Takes the fault, None where the work was stopped.
    """

    connected: Callable[[dict[str, Any]], None]
    progress: Callable[[str, float, str], None]
    answered: Callable[[str, Any], None]
    failed: Callable[[str, NightFlashError | None], None]


@dataclass
class _Wanted:
    kind: str
    fields: dict[str, Any]
    cancel: threading.Event = field(default_factory=threading.Event)


class Conversation:
    """Asks the backend for previews, the newest alone, and for the render.

    Args:
        client: Of the backend; from now on this thread's, which closes it at the end.
        photo: The layer's pixels.
        listener: Hears the answers.
    """

    def __init__(self, client: Any, photo: Any, listener: Listener) -> None:
        self._client, self._photo, self._listener = client, photo, listener
        self._changed = threading.Condition()
        self._next: _Wanted | None = None
        self._errands = deque([_Wanted("hello", {})])
        self._now: _Wanted | None = None
        self._strokes: Any = None  # that the backend has
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="conversation", daemon=True)
        self._thread.start()

    def ask(self, kind: str, **fields: Any) -> bool:
        """Ask for ``preview``, ``close-up`` or ``render``; what waits gives way.

        A close-up, a preview with a region, gives way even where it runs, and takes nobody's place:
        where something else waits or runs that the picture follows from, it is not asked for,
        which is reported.
        """
        with self._changed:
            if kind == "close-up" and not self._only_close_ups():
                return False
            self._next = _Wanted(kind, fields)
            if self._now is not None and (kind == "render" or self._now.kind == "close-up"):
                self._now.cancel.set()
            self._changed.notify()
            return True

    def _only_close_ups(self) -> bool:
        """Whether no other work waits or runs."""
        kinds = {wanted.kind for wanted in (self._now, self._next) if wanted is not None}
        return not kinds & {"preview", "render"}

    def see_to(self, errand: str, **fields: Any) -> None:
        """Have ``status`` asked, ``mask`` made or ``restart`` done, before the next work."""
        with self._changed:
            self._errands.append(_Wanted(errand, fields))
            self._changed.notify()

    def cancel(self) -> None:
        """Stop what is at work, and what waits; no answer is waited for, which may never come."""
        with self._changed:
            self._next = None
            if self._now is not None and not self._now.cancel.is_set():
                self._now.cancel.set()
                self._hear(self._listener.failed, self._now.kind, None)

    def end(self) -> None:
        """Stop everything."""
        self._ended = True
        self.cancel()
        with self._changed:
            self._changed.notify()
        self._thread.join(GOODBYE_SECONDS)

    def _run(self) -> None:
        with self._client:
            self._talk()

    def _talk(self) -> None:
        while (wanted := self._taken()) is not None:
            try:
                self._do(wanted)
            except Cancelled:
                pass  # reported when it was stopped
            except NightFlashError as fault:
                if fault.code != "replaced":
                    self._outcome(wanted, self._listener.failed, in_words(fault))
            except Exception as fault:
                failure = NightFlashError(f"{type(fault).__name__}: {fault}.", code="internal")
                self._outcome(wanted, self._listener.failed, failure)
            with self._changed:
                self._now = None

    def _taken(self) -> _Wanted | None:
        """What to do next, once there is something; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._errands or self._next is not None)
            if self._ended:
                return None
            if self._errands:
                self._now = self._errands.popleft()
            else:
                self._now, self._next = self._next, None
            return self._now

    def _do(self, wanted: _Wanted) -> None:
        client, cancel = self._client, wanted.cancel
        match wanted.kind:
            case "hello" | "status":
                client.connect(self._report_progress, cancel)
                about = client.ask("hello" if client.far else wanted.kind)  # which says less
                self._hear(self._listener.connected, about)
            case "restart":
                self._hear(self._listener.connected, client.restart(self._report_progress, cancel))
            case "mask":
                self._forget_strokes(wanted.fields.get("strokes"))
                self._outcome(wanted, self._listener.answered, self._mask(wanted))
            case kind:
                self._forget_strokes(wanted.fields.get("strokes"))
                request = "preview" if kind == "close-up" else kind
                answer = client.work(
                    request,
                    self._photo,
                    report_progress=self._report_progress,
                    cancel=cancel,
                    **wanted.fields,
                )
                self._outcome(wanted, self._listener.answered, answer)

    def _mask(self, wanted: _Wanted) -> list[Any]:
        """The mask of the main object at the photo's size, in strips of whole rows."""
        width, height = self._photo.layout.width, self._photo.layout.height
        rows, strips = max(1, MOST_SHOWN // width), []
        for top in range(0, height, rows):
            region = [0, top, width, min(rows, height - top)]
            answer = self._client.work(
                *("preview", self._photo),
                views=["subject"],
                region=region,
                report_progress=self._report_progress,
                cancel=wanted.cancel,
                **wanted.fields,
            )
            strips.append(answer.pictures[0])
        return strips

    def _forget_strokes(self, now: Any) -> None:
        """Have the backend forget strokes that have been painted over."""
        if self._strokes is not None and self._strokes is not now:
            self._client.forget(self._strokes)
        self._strokes = now

    def _outcome(self, wanted: _Wanted, method: Callable[..., None], outcome: Any) -> None:
        with self._changed:
            self._now = None  # before it is heard: what follows from it is asked for then
        if not wanted.cancel.is_set():
            self._hear(method, wanted.kind, outcome)

    def _report_progress(self, stage: str, fraction: float, sentence: str) -> None:
        self._hear(self._listener.progress, stage, fraction, sentence)

    def _hear(self, method: Callable[..., None], *arguments: Any) -> None:
        """Have the main thread hear something, unless the dialog has gone."""

        def once() -> bool:
            if not self._ended:
                method(*arguments)
            return False

        GLib.idle_add(once)
