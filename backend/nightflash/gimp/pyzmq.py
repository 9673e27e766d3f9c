"""A pyzmq for the Python that GIMP runs plug-ins with.

Where no pyzmq loads, the relay stands in, which is a child process in NightFlash's Python that
carries the plug-in's messages: it works wherever a process can be started and costs some speed.
Standard library only.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nightflash.gimp.programs import desktop_variables, output

SYSTEM_PYTHONS = ("/usr/bin/python3", "python3")  # a desktop's GIMP takes the first one it finds
OLDEST = (3, 11)  # that the plug-in and the client run on
DOWNLOAD_SECONDS = 300.0
WITHOUT_GI = (
    "has no gi module, without which GIMP shows no plug-in in Python; install it (Debian and"
    " Ubuntu: sudo apt install python3-gi gir1.2-gtk-3.0)"
)

# No syntax of recent versions in here: it is asked of any Python there is.
_DESCRIBE = """
import sys
sys.path.remove("")  # the caller's folder
import json, platform, sysconfig
from importlib.util import find_spec
print(json.dumps({
    "version": sys.version_info[:2],
    "cpython": sys.implementation.name == "cpython",
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "platform": sysconfig.get_platform(),
    "libc": platform.libc_ver(),
    "gi": find_spec("gi") is not None,
}))"""

_TRY = """
import sys
sys.path[:1] = sys.argv[1:]  # in place of the caller's folder
import zmq.utils.monitor
import nightflash.client.client"""


@dataclass(frozen=True)
class Zmq:
    """How the plug-in reaches ZeroMQ.

    Attributes:
        kind: ``own``: GIMP's Python has pyzmq; ``private``: it lies in the plug-in's folder
            ``site``; ``relay``: NightFlash's Python carries the messages.
        text: The same for the user, and why.
    """

    kind: Literal["own", "private", "relay"]
    text: str


@dataclass(frozen=True)
class GimpPython:
    """The interpreter that a distribution's GIMP runs plug-ins with.

    Attributes:
        program: The interpreter.
        version: Such as (3, 13).
        platforms: What its wheels may be built for, best first; empty where none can fit.
        has_gi: Whether it has the binding that every plug-in in Python needs.
    """

    program: str
    version: tuple[int, int]
    platforms: tuple[str, ...]
    has_gi: bool

    @classmethod
    def find(cls) -> GimpPython | None:
        """The first of the system's interpreters with ``gi``, else the first that runs at all."""
        found = []
        for name in SYSTEM_PYTHONS:
            python = cls._ask(name)
            if python is not None and python.has_gi:
                return python
            if python is not None:
                found.append(python)
        return found[0] if found else None

    @classmethod
    def _ask(cls, name: str) -> GimpPython | None:
        program = shutil.which(name)
        answer = output([program, "-c", _DESCRIBE]) if program else None
        try:
            facts = json.loads(answer or "")
            major, minor = facts["version"]
            machine = facts["platform"].rpartition("-")[2]
            wheels = facts["cpython"] and not facts["free_threaded"]
            platforms = _platforms(machine, *facts["libc"]) if wheels else ()
            return cls(str(program), (int(major), int(minor)), platforms, bool(facts["gi"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    @property
    def name(self) -> str:
        """Its version, for the user."""
        return ".".join(map(str, self.version))

    def runs_client(self, *folders: Path) -> bool:
        """Whether it can import the client and pyzmq with ``folders`` on its path."""
        return output([self.program, "-B", "-c", _TRY, *map(str, folders)]) is not None


def provide(
    plug_in: Path, former: Path, python: Path, requirement: str, report: Callable[[str], None]
) -> Zmq:
    """Make GIMP's Python able to speak ZeroMQ from the new folder ``plug_in``.

    Args:
        plug_in: Holds the client in ``lib``; gets a folder ``site`` where one is needed.
        former: An earlier folder of the plug-in, whose ``site`` serves again where it can.
        python: NightFlash's own interpreter, whose pip downloads.
        requirement: Which pyzmq, as pip is asked for it.
        report: Takes a sentence on what is done.
    """
    lib, site = plug_in / "lib", plug_in / "site"
    gimps = GimpPython.find()
    if gimps is None:
        return _relay("the system's python3 was not found")
    if gimps.version < OLDEST:
        return _relay(
            f"{gimps.program} is Python {gimps.name}, and where GIMP runs plug-ins with that, this "
            f"one needs {'.'.join(map(str, OLDEST))} or newer"
        )
    if not gimps.has_gi:
        report(f"{gimps.program} {WITHOUT_GI}")
    if gimps.runs_client(lib):
        return Zmq("own", f"GIMP's Python {gimps.name} has pyzmq")
    try:
        if _serves_again(gimps, former / "site", site, lib):
            return _private(gimps)
        if gimps.platforms:
            report(f"Getting pyzmq for GIMP's Python {gimps.name}")
            if _download(gimps, site, python, requirement) and gimps.runs_client(site, lib):
                return _private(gimps)
    except OSError as fault:
        report(f"pyzmq could not be put into {site}: {fault}")
    shutil.rmtree(site, ignore_errors=True)
    return _relay(
        f"no pyzmq for GIMP's Python {gimps.name} could be had (the distribution's package "
        "python3-zmq and another run of this make it faster)"
    )


def bundled(kind: str) -> Zmq:
    """The answer for a GIMP that brings a Python of its own, where nothing can be put."""
    return _relay(f"this GIMP ({kind}) brings its own Python")


def _serves_again(gimps: GimpPython, former: Path, site: Path, lib: Path) -> bool:
    """Whether the pyzmq of an earlier plug-in does for that interpreter; it is copied then."""
    if not former.is_dir():
        return False
    shutil.copytree(former, site)
    if gimps.runs_client(site, lib):
        return True
    shutil.rmtree(site)
    return False


def _private(gimps: GimpPython) -> Zmq:
    return Zmq("private", f"pyzmq for GIMP's Python {gimps.name} is in the plug-in's folder")


def _relay(why: str) -> Zmq:
    return Zmq("relay", f"NightFlash's own Python carries the messages, as {why}")


def _platforms(machine: str, libc: str, version: str) -> tuple[str, ...]:
    """The platform tags that fit a Linux with this libc, best first (PEP 600 and 656)."""
    tags = []
    if libc == "glibc":
        newest = int(version.split(".")[1])
        tags += [f"manylinux_2_{n}_{machine}" for n in range(newest, 4, -1)]
        legacy = ((17, "manylinux2014"), (12, "manylinux2010"), (5, "manylinux1"))
        tags += [f"{name}_{machine}" for needed, name in legacy if newest >= needed]
    else:  # musl gives no name; where it is something else, the import shows it
        tags += [f"musllinux_1_{n}_{machine}" for n in (2, 1)]
    return (*tags, f"linux_{machine}")


def _download(gimps: GimpPython, site: Path, python: Path, requirement: str) -> bool:
    """Have pip put pyzmq for that interpreter into ``site``; whether it did."""
    command = [str(python), "-P", "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", gimps.name]
    for platform in gimps.platforms:
        command += ["--platform", platform]
    astray = ("PIP_PREFIX", "PIP_ROOT", "PIP_TARGET")
    variables = {k: v for k, v in desktop_variables().items() if k not in astray}
    variables |= {
        "PIP_USER": "0",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PYTHONNOUSERSITE": "1",
    }
    command += ["--target", str(site), requirement]
    return output(command, variables, DOWNLOAD_SECONDS) is not None
