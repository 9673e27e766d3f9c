"""A download of networks in a process of its own, which the window "Backend" shows and stops."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

from gi.repository import Gio, GLib

from plugin.command import ERROR_PREFIX, started
from plugin.texts import translated as _

INTERRUPT = 2
AT_WORK = "nightflash stop"  # in the line about a backend that goes on with the old networks
EVERY = "0.5"  # seconds between two lines on how far it is
ELSEWHERE = re.compile(r"Fetch the file in another way\b.*--from\.$")
NO_FOLDER = re.compile(r"Name a folder that takes files with --weights\.")
OTHER_FOLDER = re.compile(r", or name (a|another) folder[^.]* with --weights")
FAR = re.compile(r"([\d.]+) of ([\d.]+) MB$")


class Download:
    """Fetches the networks that suit this machine best; begins at once.

    Args:
        folder: Of the network files; empty for the usual one.
        progress: Takes each sentence, and how far the file is (0..1), None where nobody knows.
        ended: Takes the last sentence and whether all is there now.

    Raises:
        NightFlashError: ``not_installed``.
        GLib.Error: It cannot be started.
    """

    def __init__(
        self,
        folder: str,
        progress: Callable[[str, float | None], None],
        ended: Callable[[str, bool], None],
    ) -> None:
        self._progress, self._ended = progress, ended
        self._reported: list[str] = []
        words = ["--weights", folder] if folder else []
        self._process = started(
            ["models", "download", "--every", EVERY, *words],
            Gio.SubprocessFlags.STDOUT_PIPE | Gio.SubprocessFlags.STDERR_MERGE,
        )
        self._lines = Gio.DataInputStream.new(self._process.get_stdout_pipe())
        self._read()

    def stop(self) -> None:
        """Have it end soon; what has come is kept for the next one."""
        if sys.platform == "win32":
            self._process.force_exit()
        else:
            self._process.send_signal(INTERRUPT)

    def _read(self) -> None:
        self._lines.read_line_async(GLib.PRIORITY_DEFAULT, None, self._line_read)

    def _line_read(self, lines: Gio.DataInputStream, result: Gio.AsyncResult) -> None:
        try:
            line, _length = lines.read_line_finish_utf8(result)
        except GLib.Error:  # names of files may be no text
            self._read()
            return
        if line is None:
            self._process.wait_async(None, self._gone)
            return
        if line.startswith(ERROR_PREFIX):
            here = _("Fetch the file in another way and put it where Open folder leads.")
            said = ELSEWHERE.sub(here, line.removeprefix(ERROR_PREFIX))
            rights = _("Let the folder where Open folder leads take files.")
            self._reported.append(OTHER_FOLDER.sub("", NO_FOLDER.sub(rights, said)))
        elif AT_WORK in line:
            self._reported.append(_("The networks are there; Restart has them used."))
        far = FAR.search(line)
        done, total = map(float, far.groups()) if far else (0.0, 0.0)
        self._progress(line.removeprefix(ERROR_PREFIX), done / total if total else None)
        self._read()

    def _gone(self, process: Gio.Subprocess, result: Gio.AsyncResult) -> None:
        process.wait_finish(result)
        well = process.get_successful()
        if not self._reported:
            outcome = _("The networks are there.") if well else _("The download broke off.")
            self._reported.append(outcome)
        self._ended(" ".join(self._reported), well)
