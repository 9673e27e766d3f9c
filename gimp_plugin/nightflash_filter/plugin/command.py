"""The command `nightflash` in a process of its own, beside which the dialog goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gi.repository import Gio, GLib
from nightflash.errors import NightFlashError

from plugin.backend import in_words, program
from plugin.faults import parted

ERROR_PREFIX = "nightflash: "  # begins a line about a fault or a stop


def started(words: Sequence[str], flags: Gio.SubprocessFlags) -> Gio.Subprocess:
    """`nightflash` with these words.

    Raises:
        NightFlashError: ``not_installed``.
        GLib.Error: It cannot be started.
    """
    command, environment = program(*words)
    launcher = Gio.SubprocessLauncher.new(flags)
    launcher.set_environ([f"{name}={value}" for name, value in environment.items()])
    return launcher.spawnv(command)


class Command:
    """A command that is over in seconds; begins at once.

    Args:
        words: That `nightflash` is given.
        typed: What it reads.
        ended: Takes what it printed, or the fault in the user's words; not called once stopped.

    Raises:
        NightFlashError, GLib.Error: As `started`.
    """

    def __init__(
        self, words: Sequence[str], typed: str, ended: Callable[[str | NightFlashError], None]
    ) -> None:
        self._ended, self._stopped = ended, Gio.Cancellable()
        flags = Gio.SubprocessFlags
        pipes = flags.STDIN_PIPE | flags.STDOUT_PIPE | flags.STDERR_PIPE
        self._process = started(words, pipes)
        self._process.communicate_utf8_async(typed, self._stopped, self._gone)

    def stop(self) -> None:
        """End it; nobody wants to know how it ends."""
        self._stopped.cancel()
        self._process.force_exit()

    def _gone(self, process: Gio.Subprocess, result: Gio.AsyncResult) -> None:
        try:
            _well, printed, told = process.communicate_utf8_finish(result)
        except GLib.Error as fault:  # stopped, or what was printed is no text
            if not self._stopped.is_cancelled():
                self._ended(NightFlashError(fault.message))
            return
        if process.get_successful():
            self._ended(printed)
            return
        lines = [line for line in told.splitlines() if line.startswith(ERROR_PREFIX)]
        said = lines[-1].removeprefix(ERROR_PREFIX) if lines else told.strip()[-200:]
        self._ended(in_words(NightFlashError(*parted(said))))
