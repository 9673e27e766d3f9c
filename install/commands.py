"""What run.sh and test.sh do: set the environment up where needed, then run in it.

``commands.py run [PHOTO [OUT [OPTIONS]]]`` and
``commands.py test [--quick | --endurance] [PYTEST ARGUMENTS]``.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import launcher
import networks
from checkout import begin_in, run_in
from environment import SetupError, ensure_environment, say
from requirements import CHECKOUT

# Need the standard library alone.
from nightflash.commands.results import folder_fault, is_folder, night_name

USAGE = """bash install/run.sh [PHOTO... [OUT [OPTIONS]]]

Gives PHOTO as taken at night with a flash. Without PHOTO it renders the example picture that comes
with NightFlash. OUT is a file, or a folder where there are several photos; without it the result of
one lies beside the photo, named NAME-night. OPTIONS are those of `nightflash render`, such as
--weights FOLDER, and --download SET, which first fetches a set of networks: auto, official, lite or
none; --from URL|DIR then names a server or folder to take them from. Without it the first run
fetches auto, the best for this machine, and goes on without what cannot be reached; none refuses
them, now and later. The first run also puts the command `nightflash` where your shell finds it.

bash install/run.sh models list|download|verify|path

Lists networks, downloads and checks them.
The last line of the output is the path of the result, or of the folder of several."""

BAD_PHOTO = 2  # as `nightflash render` ends
EXAMPLE = CHECKOUT / "backend/nightflash/data/example.jpg"

TEST_TOOLS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("mypy", "--strict", "install"),
)
BESIDE = {
    "in GIMP's windows": ("tests/gimp",),
    "of processes that talk": (
        *("tests/client", "tests/server", "tests/install", "tests/models/download"),
        *("tests/test_readme.py", "tests/test_via_backend.py"),
    ),
}
"""Rooms whose tests wait more than they compute, most of all the first: each run in its own process
beside all others, which make way for them."""
NICER = 5  # than those before
CHOICES = {"--quick": "not slow and not endurance", "--endurance": "endurance"}
"""Which tests run, as pytest's markers say it; without one all but the endurance tests do."""


def run(arguments: Sequence[str]) -> int:
    """Render one photo; prints the path of the result as the last line."""
    if arguments and arguments[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    if arguments and arguments[0] == "models":
        return run_in(ensure_environment(("heic",)), "nightflash", *arguments)
    chosen, arguments = networks.wanted(arguments)
    first_option = next((i for i, a in enumerate(arguments) if a.startswith("-")), len(arguments))
    names, options = arguments[:first_option], arguments[first_option:]
    if len(names) > 2:
        return _render_several(names, options, chosen)
    photo = Path(names[0]).absolute() if names else EXAMPLE
    out = result_path(photo, Path(names[1]) if len(names) == 2 else None)
    if _is_no_photo(photo):
        return BAD_PHOTO
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise SetupError(
            f"The result cannot be written to {out.parent}; name another place as OUT."
        )
    if out.exists() and out.samefile(photo):
        raise SetupError(f"The result would replace the photo {photo}; name another file as OUT.")
    python = _prepared(chosen)
    if out.exists():
        say(f"{out} exists and will be overwritten")
    code = run_in(python, "nightflash", "render", str(photo), str(out), *options)
    if code == 0:
        if not out.is_file():
            raise SetupError(f"The renderer ended well and left no {out}.")
        say("The night photo is here:")
        print(out, flush=True)
    return code


def _render_several(names: Sequence[str], options: Sequence[str], chosen: networks.Wanted) -> int:
    """Several photos into a folder; what is wrong with one of them is said before the set-up."""
    *photos, out = names
    for photo in photos:
        if _is_no_photo(Path(photo).absolute()):
            return BAD_PHOTO
    if Path(out).is_file():
        raise SetupError(f"{out} is a file; several photos need a folder as the last name.")
    code = run_in(_prepared(chosen), "nightflash", "render", *names, *options)
    if code == 0:
        say("The night photos are here:")
        print(Path(out).absolute(), flush=True)
    return code


def _is_no_photo(photo: Path) -> bool:
    """Whether there is no such file, which is said."""
    if is_folder(photo):
        say(str(folder_fault(photo)))
    elif not photo.is_file():
        say(f"There is no photo {photo}.")
    return not photo.is_file()


def _prepared(chosen: networks.Wanted) -> Path:
    """The interpreter of the environment, with the networks there and the command in its place."""
    python = ensure_environment(("heic",))
    networks.fetch(python, chosen)
    launcher.put(python, CHECKOUT / "backend", replace=False)
    return python


def result_path(photo: Path, out: Path | None) -> Path:
    """Where the result of ``photo`` goes: ``out``, into the folder ``out``, or beside the photo."""
    name = night_name(photo)
    if out is not None:
        return (out / name if out.is_dir() else out).absolute()
    return Path("nightflash-example.jpg").absolute() if photo == EXAMPLE else photo.with_name(name)


def test(arguments: Sequence[str]) -> int:
    """Run every check, pytest last, and name those that failed.

    ``--quick`` leaves out the tests of slow rooms, for a check while one writes; ``--endurance``
    runs the long tests of the backend instead of all the others.
    """
    chosen = [CHOICES[argument] for argument in arguments if argument in CHOICES]
    if len(chosen) > 1:
        raise SetupError(f"One of {' and '.join(CHOICES)}, please.")
    markers = ["-m", *chosen] if chosen else []
    arguments = [*markers, *(argument for argument in arguments if argument not in CHOICES)]
    python = ensure_environment(("test",))
    os.chdir(CHECKOUT)
    apart = [] if arguments else [f"--ignore={room}" for rooms in BESIDE.values() for room in rooms]
    tools = [*TEST_TOOLS, ("pytest", *arguments, *apart)]
    with contextlib.ExitStack() as stack:
        beside = [
            (stack.enter_context(_begun(python, f"pytest {name}", rooms)), name)
            for name, rooms in ([] if arguments else BESIDE.items())
        ]
        failed = [" ".join(tool) for tool in tools if _fails(python, tool)]
        failed += [f"pytest {name}" for tests, name in beside if tests.wait()]
    if failed:
        say(f"Failed: {'; '.join(failed)}")
    return 1 if failed else 0


def _fails(python: Path, tool: Sequence[str]) -> bool:
    say(" ".join(tool))
    return bool(run_in(python, *tool))


@contextlib.contextmanager
def _begun(python: Path, title: str, rooms: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The tests of some rooms, beside all that follows, which makes way for them.

    What they print is shown at the end.
    """
    with tempfile.TemporaryFile() as output:
        with begin_in(python, output, "pytest", *rooms) as tests:
            if sys.platform != "win32":
                os.nice(NICER)
            try:
                yield tests
            finally:
                tests.terminate()
        say(f"{title}, meanwhile")
        output.seek(0)
        print(output.read().decode(errors="replace").rstrip(), flush=True)


def main(arguments: Sequence[str]) -> int:
    """Run one of the commands; faults become a sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape")  # a path is printed as it is
    command = {"run": run, "test": test}[arguments[0]]
    try:
        return command(arguments[1:])
    except SetupError as fault:
        say(str(fault))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
