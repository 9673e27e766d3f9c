"""NightFlash's own Python environment: made once, checked in milliseconds, mended when broken.

It holds the packages that pyproject.toml asks for and not NightFlash itself: the code always runs
from the checkout that was started, so several checkouts share one environment. It lies in the
user's data folder, away from the system's Python. Standard library only.

Environment variables:
    NIGHTFLASH_HOME: the data folder, instead of the platform's own.
    NIGHTFLASH_PYTHON: an interpreter to use as it is, with no set-up (for packagers).
    NIGHTFLASH_TORCH_INDEX: where PyTorch comes from, see `pytorch.fitting_index`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytorch
import seed
from lock import one_at_a_time
from requirements import Stamp, distribution, requirements

from nightflash.folders import data_folder  # needs the standard library alone

TORCH = ("torch", "torchvision")


class SetupError(Exception):
    """The environment could not be made: one sentence for the user, with what to do."""


def ensure_environment(extras: Iterable[str] = ()) -> Path:
    """The interpreter of an environment that holds all that ``extras`` of NightFlash need.

    Makes, completes or mends the environment where needed, one process at a time, with a line on
    stderr per stage. Raises SetupError.
    """
    if given := os.environ.get("NIGHTFLASH_PYTHON"):
        return Path(shutil.which(given) or given)
    wanted = requirements(extras)
    environment = Environment(data_folder())
    if environment.offers(wanted):
        return environment.python
    try:
        environment.home.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(environment.home / "environment.lock", _say_waiting) as lock:
            if not environment.offers(wanted):  # another process may just have made it
                environment.install(wanted, lock)
    except OSError as fault:
        raise SetupError(
            f"The environment in {environment.home} could not be set up: {fault}. NIGHTFLASH_HOME "
            "may name another folder for it."
        ) from fault
    return environment.python


class Environment:
    """The virtual environment inside the data folder ``home``, its stamp and its log."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "environment"
        self.python = seed.interpreter(self.folder)
        self.stamp = self.folder / "complete.json"
        self.log = home / "setup.log"
        self.scratch = home / "setup"

    def offers(self, wanted: Sequence[str]) -> bool:
        """Whether the environment is complete, its Python runs and all of ``wanted`` is in it."""
        stamp = Stamp.read(self.stamp)
        return (
            stamp is not None
            and set(wanted) <= set(stamp.requirements)
            and not _wants_other_torch(stamp)
            and self._version() == stamp.python
        )

    def install(self, wanted: Sequence[str], lock: IO[bytes]) -> None:
        """Bring the environment to hold ``wanted``; ``lock`` is held until the last pip ends."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        # pip outlives a killed parent; with the lock in its hands nobody else starts meanwhile.
        if sys.platform != "win32":
            os.set_inheritable(lock.fileno(), True)
        try:
            with self.log.open("wb") as log:
                self._install(wanted, log)
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _install(self, wanted: Sequence[str], log: IO[bytes]) -> None:
        has_gpu = pytorch.has_nvidia_gpu()
        torch = [line for line in wanted if distribution(line) in TORCH]
        stamp = Stamp.read(self.stamp)
        if stamp is not None and self._version() != stamp.python:
            stamp = None
        if stamp is None or _wants_other_torch(stamp):
            target = Stamp("", pytorch.fitting_index(has_gpu), ())
        else:
            target = stamp
        if not set(torch) <= set(target.requirements):
            source = self._source(target.torch_index)
            if stamp is None:
                self._create(pytorch.gigabytes(source), log)
            elif target is not stamp:
                say("Removing the PyTorch of another build")
                self._pip(log, "uninstall", "--yes", *TORCH)
            self._install_torch(torch, source, has_gpu, log)
            target = self._complete(target, torch)
        say("Installing the other packages (a minute the first time)")
        with self._changing():
            self._pip(log, "install", "--prefer-binary", *wanted)
        self._complete(target, wanted)
        say("The environment is ready")

    def _source(self, index: str) -> str:
        """``index``, or the registry where the index of CPU builds cannot be reached."""
        if index != pytorch.CPU_INDEX or pytorch.is_reachable(index):
            return index
        say(f"{index} cannot be reached; taking the larger build from the package registry")
        return pytorch.REGISTRY

    def _create(self, needed: int, log: IO[bytes]) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        free = shutil.disk_usage(self.home).free / 1e9
        if free < needed:
            raise SetupError(
                f"Setting up takes about {needed} GB and {self.home} has {free:.1f} GB free; make "
                "room, or let NIGHTFLASH_HOME name a folder on a larger disk."
            )
        say(f"Making NightFlash's own Python environment in {self.folder}")
        if not seed.create(self.folder, self.scratch, lambda command: self._runs(log, command)):
            raise SetupError(
                f"This Python ({sys.executable}) cannot make an environment with pip. "
                f"{seed.remedy()} (The log is {self.log}.)"
            )

    def _install_torch(
        self, torch: Sequence[str], source: str, has_gpu: bool, log: IO[bytes]
    ) -> None:
        say("Installing PyTorch (a few minutes the first time)")
        options = ["--index-url", source] if source else []
        with self._changing():
            try:
                self._pip(log, "install", "--prefer-binary", *options, *torch)
                fits = pytorch.works(self.python)
            except SetupError:
                if source != pytorch.CPU_INDEX:
                    raise
                fits = False
            if not fits:
                say("That torch and torchvision do not work; taking both from the registry")
                self._pip(log, "uninstall", "--yes", *TORCH)
                self._pip(log, "install", "--prefer-binary", *torch)
                if not pytorch.works(self.python):
                    raise SetupError(
                        "PyTorch was installed and does not run on this machine "
                        f"(python -c 'import torchvision' says why). The log is {self.log}."
                    )
        if has_gpu and not pytorch.reaches_gpu(self.python):
            say(
                "This PyTorch cannot use the GPU, so NightFlash will compute on the processor: "
                "update the NVIDIA driver, or let NIGHTFLASH_TORCH_INDEX name an index for an "
                "older CUDA (https://download.pytorch.org/whl/cu126)"
            )

    def _complete(self, stamp: Stamp, lines: Sequence[str]) -> Stamp:
        """Write and return the stamp with ``lines`` added, in place of older ones like them."""
        names = {distribution(line) for line in lines}
        kept = [line for line in stamp.requirements if distribution(line) not in names]
        stamp = Stamp(self._version(), stamp.torch_index, (*kept, *lines))
        stamp.write(self.stamp)
        return stamp

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Without a stamp while packages change; put back when pip gives up in good order."""
        stamp = Stamp.read(self.stamp)
        self.stamp.unlink(missing_ok=True)
        try:
            yield
        except SetupError:
            if stamp is not None and pytorch.works(self.python):
                stamp.write(self.stamp)
            raise

    def _version(self) -> str:
        """The Python of the environment, "3.12", or "" where it does not run."""
        code = "import sys; print(*sys.version_info[:2], sep='.')"
        command = [str(self.python), "-I", "-S", "-c", code]
        try:
            return subprocess.run(command, capture_output=True, text=True).stdout.strip()
        except OSError:
            return ""

    def _pip(self, log: IO[bytes], *arguments: str) -> None:
        if not self._runs(log, [self.python, "-m", "pip", *arguments]):
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
            errors = [line for line in lines if line.startswith("ERROR: ")]
            reason = errors[-1].removeprefix("ERROR: ") if errors else "pip failed"
            raise SetupError(
                f"Installing packages failed: {reason} (The log is {self.log}.) Is the network "
                "reachable? Starting this again goes on from here."
            )

    def _runs(self, log: IO[bytes], command: Sequence[str | Path]) -> bool:
        """Run ``command`` with its output in the log and a sign of life every half minute."""
        log.write(f"$ {' '.join(map(str, command))}\n".encode(errors="surrogateescape"))
        log.flush()
        started = time.monotonic()
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=self._variables(),
            close_fds=sys.platform == "win32",
        ) as process:
            while True:
                try:
                    return process.wait(30) == 0
                except subprocess.TimeoutExpired:
                    say(f"  still at it after {time.monotonic() - started:.0f} s")
                except BaseException:
                    process.kill()
                    raise

    def _variables(self) -> dict[str, str]:
        """The caller's environment variables without those that lead pip elsewhere."""
        led_astray = ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")
        variables = {key: value for key, value in os.environ.items() if key not in led_astray}
        # Wheels of gigabytes are unpacked here: /tmp is often a small disk in memory.
        variables |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.scratch))
        return variables | {
            "PIP_USER": "0",
            "PIP_REQUIRE_VIRTUALENV": "0",
            "PIP_NO_INPUT": "1",
            "PIP_PROGRESS_BAR": "off",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
            "PYTHONNOUSERSITE": "1",
        }


def say(line: str) -> None:
    """One line of progress for the person at the terminal."""
    print(f"NightFlash: {line}", file=sys.stderr, flush=True)


def _say_waiting() -> None:
    say("Another NightFlash is setting up the environment; waiting for it")


def _wants_other_torch(stamp: Stamp) -> bool:
    """Whether the user named another index since, or put a GPU into a CPU-only machine.

    A GPU that went away changes nothing: a home folder may serve machines with and without one.
    """
    if "NIGHTFLASH_TORCH_INDEX" in os.environ:
        return stamp.torch_index != pytorch.fitting_index(has_gpu=False)
    return stamp.torch_index == pytorch.CPU_INDEX and pytorch.has_nvidia_gpu()
