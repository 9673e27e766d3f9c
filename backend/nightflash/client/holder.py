"""Who holds the backend's lock, as the system reports it: no file's content is believed.

A backend holds two locks on one file: that of `filelock`, which keeps a second one away, and a
record lock, for which the system names the process (``F_GETLK``). On Windows, where a lock has no
name, the file of the process number in the user's own folder must do. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from nightflash.client.connection import RUNTIME_VARIABLE, require_private, runtime_folder
from nightflash.errors import NightFlashError

DELETED = " (deleted)"  # ends the name of a file that is gone, in Linux's /proc


def lock_file() -> Path:
    """What a backend locks as long as it runs, however it ends."""
    return runtime_folder() / "backend.lock"


def pid_file() -> Path:
    """Where the backend writes its process number on Windows."""
    return runtime_folder() / "backend.pid"


class Held:
    """The lock of this process, which `filelock` has, with its name on it.

    Raises:
        OSError: The lock's file cannot be opened.
    """

    def __init__(self) -> None:
        self._file = lock_file().open("r+b")
        if sys.platform == "win32":
            pid_file().write_text(str(os.getpid()))
        else:
            import fcntl

            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def still(self) -> bool:
        """Whether the lock's file is the one on disk: without it another backend may begin."""
        if sys.platform == "win32":  # a file that is open cannot be deleted
            return True
        try:
            there = lock_file().lstat()
        except OSError:
            return False
        return os.path.samestat(there, os.fstat(self._file.fileno()))

    def close(self) -> None:
        """Take the name off."""
        if sys.platform == "win32":
            pid_file().unlink(missing_ok=True)
        self._file.close()


def backend_runs() -> bool:
    """Whether a backend of this user holds the lock, be it answering or not.

    Raises:
        NightFlashError: ``not_private`` where others could have made the lock.
    """
    try:
        with _opened() as file:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (BlockingIOError, PermissionError):
        return True
    except OSError as error:
        raise NightFlashError(
            f"{lock_file()} cannot be read: {error.strerror}.",
            f"Let {RUNTIME_VARIABLE} name another folder.",
            code="not_private",
        ) from error
    return False


def running_pid() -> int | None:
    """The process that holds the lock, answering or not; None where none is proven to.

    Raises:
        NightFlashError: ``not_private`` where others could have made the lock.
    """
    try:
        if sys.platform == "win32":
            pid = int(pid_file().read_text()) if backend_runs() else 0
        else:
            with _opened() as file:
                pid = _record_holder(file)
    except (OSError, ValueError):
        return None
    return pid if pid > 1 else None


def holders() -> set[int]:
    """`running_pid`, and on Linux every backend whose lock was deleted under it.

    Raises:
        NightFlashError: ``not_private`` where others could have made the lock.
    """
    pid = running_pid()
    return {*_orphans(), *([] if pid is None else [pid])}


def end(pid: int, *, at_once: bool) -> None:
    """End a process that holds the lock; nothing happens to any other one.

    Args:
        pid: One of `holders`.
        at_once: Without letting it do anything more; Windows knows no other way.
    """
    kill = sys.platform != "win32" and at_once
    number = signal.SIGKILL if kill else signal.SIGTERM  # type: ignore[attr-defined,unused-ignore]
    with contextlib.suppress(OSError):
        if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
            if pid in holders():
                os.kill(pid, number)
            return
        process = os.pidfd_open(pid)  # first: from here on the number is nobody else's
        try:
            if pid in holders():
                signal.pidfd_send_signal(process, number)
        finally:
            os.close(process)


@contextlib.contextmanager
def _opened() -> Iterator[BinaryIO]:
    """The lock's file, where it is one of this user's own in a private folder.

    Raises:
        NightFlashError: ``not_private``.
        OSError: It is not there, or no file.
    """
    path = lock_file()
    require_private(path.parent)
    require_private(path)
    flags = os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(path, flags), "r+b", buffering=0) as file:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise NightFlashError(
                f"{path} is no file.",
                f"Remove it, or let {RUNTIME_VARIABLE} name another folder.",
                code="not_private",
            )
        yield file


def _record_holder(file: BinaryIO) -> int:
    """The process with the record lock of a file, 0 where none has it."""
    if sys.platform == "win32":
        return 0
    import fcntl

    free, wanted = fcntl.F_UNLCK, fcntl.F_WRLCK
    if sys.platform == "darwin":  # struct flock: start, len, pid, type, whence
        answer = fcntl.fcntl(file, fcntl.F_GETLK, struct.pack("qqihh", 0, 0, 0, wanted, 0))
        _, _, pid, kind, _ = struct.unpack("qqihh", answer)
    else:  # type, whence, start, len, pid
        answer = fcntl.fcntl(file, fcntl.F_GETLK, struct.pack("hhqqi4x", wanted, 0, 0, 0, 0))
        kind, _, _, _, pid = struct.unpack("hhqqi4x", answer)
    return 0 if kind == free else int(pid)


def _orphans() -> set[int]:
    """Processes of this user that hold a lock of this name that is no longer on disk."""
    if sys.platform != "linux":
        return set()
    name = os.path.realpath(lock_file()) + DELETED
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if process.stat().st_uid != os.getuid():
                continue
            for file in (process / "fd").iterdir():
                if str(file.readlink()) == name and _holds(process / "fdinfo" / file.name):
                    found.add(int(process.name))
    return found - {os.getpid()}


def _holds(info: Path) -> bool:
    """Whether a descriptor of Linux's has a lock for writing."""
    lines = info.read_text().splitlines()
    return any(line.startswith("lock:") and " WRITE " in line for line in lines)
