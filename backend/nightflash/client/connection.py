"""Where the backend is found: private folders, and the file with its addresses and keys.

Standard library only.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from nightflash.errors import NightFlashError
from nightflash.whole_file import written_whole

RUNTIME_VARIABLE = "NIGHTFLASH_RUNTIME_DIR"
STATE_VARIABLE = "NIGHTFLASH_STATE_DIR"
MOST_TEXT = 64 * 2**10  # characters of a file that is read here
LONGEST_SOCKET_PATH = 100  # bytes; the system's own limit is 104 to 108


def runtime_folder() -> Path:
    """Folder of the user's own for sockets, lock and connection file; it need not exist yet.

    NIGHTFLASH_RUNTIME_DIR; else on Linux ``nightflash`` in XDG_RUNTIME_DIR or /run/user/UID, on
    Windows in LOCALAPPDATA; else in the folder of temporary files, with the user's number.
    """
    if named := os.environ.get(RUNTIME_VARIABLE):
        return Path(named).expanduser().absolute()
    if sys.platform == "win32":
        return _local_app_data() / "nightflash" / "run"
    user = os.getuid()
    if sys.platform != "darwin":
        for base in (os.environ.get("XDG_RUNTIME_DIR"), f"/run/user/{user}"):
            if base and os.access(base, os.W_OK | os.X_OK) and Path(base).stat().st_uid == user:
                return Path(base) / "nightflash"
    return Path(tempfile.gettempdir()) / f"nightflash-{user}"


def state_folder() -> Path:
    """Folder of the logs: NIGHTFLASH_STATE_DIR or the platform's place; it need not exist yet."""
    if named := os.environ.get(STATE_VARIABLE):
        return Path(named).expanduser().absolute()
    if sys.platform == "win32":
        return _local_app_data() / "nightflash" / "Logs"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Logs" / "nightflash"
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base).absolute() / "nightflash"


def log_file() -> Path:
    """The log of the backend."""
    return state_folder() / "backend.log"


def crash_file() -> Path:
    """What backends that clients started printed while they crashed."""
    return state_folder() / "backend-crash.log"


def plain_text(path: Path) -> str:
    """A file's text: of a plain one, and no more of it than `MOST_TEXT`."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(path, flags), encoding="utf-8") as file:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "no file")
        return file.read(MOST_TEXT)


def _local_app_data() -> Path:
    return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")


def make_private(folder: Path, variable: str = RUNTIME_VARIABLE) -> None:
    """Make ``folder`` if need be, for this user alone.

    Args:
        folder: Which.
        variable: What names another one.

    Raises:
        NightFlashError: ``not_private`` where it belongs to somebody else or is open to others.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NightFlashError(
            f"The folder {folder} cannot be made: {error.strerror}.",
            f"Let {variable} name a folder that you can write to.",
            code="not_private",
        ) from error
    require_private(folder, variable)


def require_private(path: Path, variable: str = RUNTIME_VARIABLE) -> None:
    """Refuse a file or folder that others could have written or can read.

    Raises:
        NightFlashError: ``not_private``.
        OSError: It cannot be looked at, such as because it is not there.
    """
    if sys.platform == "win32":  # LOCALAPPDATA is the user's own by its access list
        return
    state = path.lstat()
    elsewhere = f"Let {variable} name a folder of your own."
    if stat.S_ISLNK(state.st_mode):
        raise NightFlashError(f"{path} is a link.", elsewhere, code="not_private")
    if state.st_uid != os.getuid():
        raise NightFlashError(f"{path} belongs to another user.", elsewhere, code="not_private")
    if state.st_mode & 0o077:
        mode = "700" if stat.S_ISDIR(state.st_mode) else "600"
        raise NightFlashError(
            f"{path} is open to other users.", f"Run: chmod {mode} '{path}'", code="not_private"
        )


@dataclass(frozen=True)
class Connection:
    """What a client must know of a running backend; the content of ``connection.json``.

    Attributes:
        protocol: Version of the protocol.
        version: Of NightFlash.
        pid: Of the backend's process.
        ipc, tcp: Addresses for requests, empty where there is none.
        pulse_ipc, pulse_tcp: Addresses where the backend's own loop echoes what it is sent.
        server_key: The backend's public CURVE key, for tcp.
        public_key, secret_key: The client's CURVE keys, the only ones let in.
    """

    protocol: int
    version: str
    pid: int
    ipc: str
    tcp: str
    pulse_ipc: str
    pulse_tcp: str
    server_key: str
    public_key: str
    secret_key: str

    @staticmethod
    def path() -> Path:
        """Where the file lies."""
        return runtime_folder() / "connection.json"

    def write(self) -> None:
        """Write the file, whole or not at all, readable for this user alone."""
        path = self.path()
        with written_whole(path, private=True) as file:
            file.write(json.dumps(asdict(self), indent=1).encode())
            if path.is_dir() and not path.is_symlink():  # nothing of ours: out of the way
                path.rename(f"{file.name}.aside")

    @classmethod
    def read(cls) -> Connection | None:
        """Read the file; None where there is none, or what is there is not one.

        Raises:
            NightFlashError: ``not_private`` where another user could have written it.
        """
        path = cls.path()
        try:
            require_private(path.parent)
            require_private(path)
            content = json.loads(plain_text(path))
            found = cls(**{field.name: content[field.name] for field in fields(cls)})
        except (OSError, ValueError, KeyError, TypeError):
            return None
        kinds = {"int": int, "str": str}
        sound = all(type(getattr(found, f.name)) is kinds[str(f.type)] for f in fields(cls))
        return found if sound else None
