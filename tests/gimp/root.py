"""A folder with a Debian of its own that has GIMP 3, for machines whose packages are older."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SUITES = {"3.0": "trixie", "3.2": "sid"}
PACKAGES = (
    "gimp",
    "python3-zmq",
    "python3-gi",
    "gir1.2-gtk-3.0",
    "xvfb",
    "xdotool",
    "openbox",
    "imagemagick",
    "fonts-dejavu-core",
    "adwaita-icon-theme",
    "librsvg2-common",
    "dbus",
    "dbus-x11",
    "at-spi2-core",
    "gir1.2-atspi-2.0",
)
CHECKOUT = Path(__file__).resolve().parents[2]


class CannotBuild(Exception):
    """There can be no GIMP root on this machine; says why."""


@dataclass(frozen=True)
class Root:
    """A Debian in a folder, entered with the host's own folders bound into it.

    Attributes:
        folder: Where it lies.
    """

    folder: Path

    def enter(self, command: Sequence[str]) -> list[str]:
        """The command line that runs ``command`` in there.

        The mounts are in a namespace of its own: they vanish with the last process in it.
        """
        binds = [
            f"mount --rbind {shlex.quote(str(at))} {_inside(self.folder, at)}" for at in _shared()
        ]
        script = " && ".join(
            [*binds, f"cd {shlex.quote(str(self.folder))}", f"exec chroot . {shlex.join(command)}"]
        )
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]


def _shared() -> list[Path]:
    """Folders that are the same inside and outside, the outer ones first."""
    wanted = {
        Path(name).resolve()
        for name in (
            "/proc",
            "/dev",
            "/sys",
            tempfile.gettempdir(),
            "/tmp",
            CHECKOUT,
            CHECKOUT.parent / "shared",
            sys.prefix,
            sys.base_prefix,
        )
    }
    wanted |= {
        Path(os.environ[name]).resolve() for name in ("NIGHTFLASH_ARTIFACTS",) if name in os.environ
    }
    found = sorted(at for at in wanted if at.is_dir() and at != Path("/usr"))
    return [at for at in found if not any(other in at.parents for other in found)]


def _inside(folder: Path, at: Path) -> str:
    (folder / at.relative_to("/")).mkdir(parents=True, exist_ok=True)
    return shlex.quote(str(folder / at.relative_to("/")))


def cache() -> Path:
    """Where roots are kept between runs, outside the checkout."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nightflash-tests"


def gimp_root(version: str = "3.0") -> Root:
    """The root with GIMP of this version, which is built where it is not there yet.

    Raises:
        CannotBuild: This machine cannot have one.
    """
    suite = SUITES[version]
    folder = cache() / f"gimp-{suite}"
    if os.name != "posix" or os.getuid() != 0:
        raise CannotBuild("a GIMP root can be built by root on Debian only")
    cache().mkdir(parents=True, exist_ok=True)
    with _alone(cache() / f"gimp-{suite}.lock"):
        if _stamp(folder) != _recipe(suite):
            _build(suite, folder)
    return Root(folder)


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released by the system however this process ends
        yield


def _recipe(suite: str) -> str:
    return " ".join((suite, *PACKAGES))


def _stamp(folder: Path) -> str:
    with contextlib.suppress(OSError):
        return (folder / "nightflash-recipe").read_text(encoding="utf-8")
    return ""


def _build(suite: str, folder: Path) -> None:
    mirror = _mirror()
    _install_debootstrap()
    building = folder.with_name(folder.name + ".building")
    log = folder.with_name(folder.name + ".log")
    for old in (building, folder):
        shutil.rmtree(old, ignore_errors=True)
    apt = ["apt-get", "-q", "-y", "-o", "Acquire::Check-Valid-Until=false"]
    install = [*apt, "install", "--no-install-recommends", *PACKAGES]
    cleaning = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    with log.open("w", encoding="utf-8") as file:
        for command in (
            ["debootstrap", "--variant=minbase", suite, str(building), mirror],
            Root(building).enter(install),
            Root(building).enter(["apt-get", "clean"]),
        ):
            _step(command, {**os.environ, **cleaning}, file.fileno(), log)
    (building / "nightflash-recipe").write_text(_recipe(suite), encoding="utf-8")
    building.rename(folder)


def _step(command: Sequence[str], variables: Mapping[str, str], output: int, log: Path) -> None:
    done = subprocess.run(
        command, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=1200
    )
    if done.returncode != 0:
        raise CannotBuild(f"{command[0]} ended with {done.returncode}; its words are in {log}")


def _install_debootstrap() -> None:
    if shutil.which("debootstrap") is None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        for words in (["update"], ["install", "-y", "--no-install-recommends", "debootstrap"]):
            subprocess.run(["apt-get", "-q", *words], check=False, timeout=600, **quiet)
    if shutil.which("debootstrap") is None:
        raise CannotBuild("debootstrap cannot be installed")


def _mirror() -> str:
    """Address of the Debian mirror that this machine's apt uses."""
    if shutil.which("apt-get") is None:
        raise CannotBuild("this is not Debian: there is no apt-get")
    asked = subprocess.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(REPO_URI)",
            "Created-By: Packages",
            "Origin: Debian",
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    found = [line for line in asked.stdout.split() if "security" not in line]
    if not found:
        raise CannotBuild("apt knows no Debian mirror; run apt-get update first")
    return found[0]
