"""What a backend looks after beside its requests: its files, its memory, and that it is wanted."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Sequence

from nightflash.client.connection import Connection
from nightflash.engine.memory import give_back
from nightflash.errors import NightFlashError
from nightflash.server.listeners import Listener
from nightflash.server.watchdog import Watchdog

log = logging.getLogger(__name__)

MEMORY_TAKEN = 75  # the exit code of a backend that ended so that the machine does not swap
WATCH_SECONDS, ALARMED_SECONDS = 0.05, 0.005  # from look to look
SENDERS_SECONDS = 2.0  # for the memory of those who were sending to come free; then all must go
GROWTH = 256 * 2**20  # bytes since the senders were ended from which others are at it, too
GRACE_SECONDS = 4.0  # for all memory to come free; then the process ends


class Files:
    """The connection file and the sockets' files of this backend.

    Args:
        connection: The contents of the file.
        listeners: Whose files are kept.
        still_held: Whether this is still the user's one backend: else the files are another's.
    """

    def __init__(
        self, connection: Connection, listeners: Sequence[Listener], still_held: Callable[[], bool]
    ) -> None:
        self._connection, self._listeners, self._still_held = connection, listeners, still_held

    def keep(self) -> bool:
        """Mend what somebody cleaned away or spoilt; False where the lock is another's by now."""
        if not self._still_held():
            return False
        for listener in self._listeners:
            listener.keep()
        try:
            lost = Connection.read() != self._connection
        except NightFlashError:  # open to others: what they wrote is not believed
            lost = True
        if lost:
            with contextlib.suppress(OSError):
                self._connection.write()
        return True

    def remove(self) -> bool:
        """Let nobody find the backend any more; False where the files are another's by now."""
        if not self._still_held():
            return False
        with contextlib.suppress(OSError):
            Connection.path().unlink(missing_ok=True)
        for listener in self._listeners:
            listener.hide()
        return True


class Memory:
    """Ends connections, and at last the process, where memory is taken that nobody accounts for.

    It is unknown whose an unfinished message is. So those go first that are sending just now, then
    everybody (clients come again), and where that frees nothing either the process ends at once.

    Args:
        watchdog: Measures the memory.
        listeners: Where the connections are.
        files: Removed before the process ends.
    """

    def __init__(self, watchdog: Watchdog, listeners: Sequence[Listener], files: Files) -> None:
        self._watchdog, self._listeners, self._files = watchdog, listeners, files
        self._since: float | None = None
        self._looked = 0.0
        self._all_went, self._outside, self._senders_went_at = False, 0, 0

    @property
    def pause(self) -> float:
        """Seconds to the next look."""
        return ALARMED_SECONDS if self._watchdog.alarmed else WATCH_SECONDS

    def watch(self, now: float, accounted: int, busy: bool, loading: bool = False) -> None:
        """Look, and act.

        Args:
            now: On the monotonic clock.
            accounted: Bytes of pictures kept or on their way out.
            busy: Whether work is being done, whose memory nobody knows before.
            loading: Whether networks are read.
        """
        why = self._watchdog.look(accounted, busy, loading)
        since_last, self._looked = now - self._looked, now
        if not why and busy and self._since is not None:
            self._since += since_last  # work hides what is taken: nothing is over, and no time goes
            return
        if not why:
            self._since, self._all_went, self._outside = None, False, 0
            return
        outside = self._watchdog.outside
        if self._since is None:
            self._since, self._senders_went_at = now, outside
        if now - self._since > GRACE_SECONDS:
            log.error("ended at once: %s", why)
            self._files.remove()
            logging.shutdown()
            os._exit(MEMORY_TAKEN)
        others = outside > self._senders_went_at + GROWTH
        if not self._all_went and (others or now - self._since > SENDERS_SECONDS):
            self._all_went = True
            went = sum(listener.throw_out() for listener in self._listeners)
            log.warning("%s: all %d connections were ended", why, went)
        elif outside > self._outside:  # it grows, still or again
            went = sum(listener.throw_out(sending=True) for listener in self._listeners)
            log.warning("%s: %d connections that were sending were ended", why, went)
        self._outside = outside
        give_back()
