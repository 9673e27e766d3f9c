"""A real GIMP 3: the machine's own, or one in a Debian root of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.gimp.root import Root, gimp_root

CONSOLES = ("gimp-console-3.0", "gimp-console-3.2", "gimp-console-3", "gimp-console")
INSIDE = Path(__file__).parent / "inside"
LOCALE = "C.UTF-8"
RESULTS_VARIABLE = "NIGHTFLASH_TEST_RESULTS"


@dataclass(frozen=True)
class Result:
    """What a batch gave.

    Attributes:
        code: Exit code of GIMP.
        results: What the script recorded, in order.
        words: What GIMP and its plug-ins printed.
    """

    code: int
    results: list[dict[str, Any]]
    words: str

    def of(self, case: str) -> dict[str, Any]:
        """What was recorded of one case."""
        found = [line for line in self.results if line.get("case") == case]
        assert len(found) == 1, (
            f"{case!r} was recorded {len(found)} times\n{self.results}\n{self.words}"
        )
        return found[0]


@dataclass(frozen=True)
class Gimp:
    """GIMP 3 on this machine.

    Attributes:
        version: Such as 3.0.4.
        console: Command that runs it without a window.
        root: The Debian it runs in, or None for the machine's own.
        known: A file of GIMP's with what it asked its own plug-ins, for new profiles: a first
            start is quicker.
    """

    version: str
    console: str
    root: Root | None = None
    known: Path | None = None

    @property
    def program(self) -> str:
        """Command that runs it with a window."""
        return self.console.replace("gimp-console", "gimp")

    @property
    def series(self) -> str:
        """Such as 3.0."""
        return ".".join(self.version.split(".")[:2])

    def command(self, words: Sequence[str]) -> list[str]:
        """The command line that runs something where GIMP is."""
        return self.root.enter(words) if self.root is not None else list(words)

    def has(self, *programs: str) -> bool:
        """Whether these programs are there besides GIMP."""
        script = " && ".join(f"command -v {name}" for name in programs)
        return subprocess.run(self.command(["sh", "-c", script]), stdout=-3).returncode == 0

    def batch(
        self,
        code: str,
        profile: Path,
        variables: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> Result:
        """Run Python code in a GIMP without a window, whose settings are in ``profile``.

        The code can import the modules in ``inside``; ``cases.record`` there gives results.
        """
        self.prepare(profile)
        script, results = profile / "batch.py", profile / "batch.jsonl"
        script.write_text(code, "utf-8")
        results.write_text("", "utf-8")
        words = [
            self.console,
            *("-i", "-d", "-f", "-s", "--batch-interpreter=python-fu-eval"),
            *("-b", running(script), "--quit"),
        ]
        more = {RESULTS_VARIABLE: str(results)}
        with started(self.command(words), self.variables(profile, variables) | more) as process:
            out, _ = process.communicate(timeout=timeout)
        lines = [json.loads(line) for line in results.read_text("utf-8").splitlines()]
        return Result(process.returncode, lines, out)

    def prepare(self, profile: Path) -> None:
        """Make a profile where there is none."""
        profile.mkdir(parents=True, exist_ok=True)
        if self.known is not None and not (profile / "pluginrc").exists():
            shutil.copyfile(self.known, profile / "pluginrc")
        if not (profile / "gimprc").exists():
            (profile / "gimprc").write_text(self.preferences(), "utf-8")

    def preferences(self, more: str = "") -> str:
        """The text of a profile's ``gimprc``.

        GIMP asks all its plug-ins anew, for many seconds, where it cannot see that version and
        language are those of the last time.
        """
        return f'(prev-language "{LOCALE}")\n{more}(config-version "{self.version}")\n'

    def variables(self, profile: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Environment of a GIMP that knows this profile only."""
        kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
        home = profile / "home"
        home.mkdir(parents=True, exist_ok=True)
        own = {"HOME": str(home), "GIMP3_DIRECTORY": str(profile), "LC_ALL": LOCALE}
        path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"} if self.root is not None else {}
        return kept | own | path | dict(more or {})


def running(script: Path) -> str:
    """The batch command that runs a script, which can import the modules in ``inside``."""
    at = repr(str(script))
    return (
        f"import sys; sys.path.insert(0, {str(INSIDE)!r}); sys.dont_write_bytecode = True; "
        f"exec(compile(open({at}, encoding='utf-8').read(), {at}, 'exec'), {{'__name__': 'batch'}})"
    )


_FOREIGN = frozenset(
    ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY")
) | frozenset(name for name in os.environ if name.startswith(("XDG_", "PYTEST_", "LC_", "LANG")))


@contextlib.contextmanager
def started(words: Sequence[str], variables: Mapping[str, str], **options: Any) -> Any:
    """A process that is ended with all its children at the end."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    process = subprocess.Popen(
        words,
        env=dict(variables),
        text=True,
        errors="replace",
        start_new_session=True,
        **streams | options,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def find() -> Gimp | None:
    """GIMP 3 among the machine's own programs."""
    for console in CONSOLES:
        if shutil.which(console) and (version := _version(console, None)):
            return Gimp(version, console)
    return None


def build(series: str = "3.0") -> Gimp:
    """GIMP 3 in a root that is built if need be.

    Raises:
        CannotBuild: This machine cannot have one.
    """
    root = gimp_root(series)
    for console in CONSOLES:
        if version := _version(console, root):
            return Gimp(version, console, root)
    raise RuntimeError(f"no GIMP 3 runs in {root.folder}")


def _version(console: str, root: Root | None) -> str:
    words = [console, "--version"]
    asked = subprocess.run(
        root.enter(words) if root is not None else words,
        capture_output=True,
        text=True,
        timeout=60,
    )
    found = re.search(r"\b3\.\d+\.\d+\b", asked.stdout)
    return found[0] if found and asked.returncode == 0 else ""
