from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.install.machine import CHECKOUT, executable, run_script

import gimp  # isort: skip  (machine has put install/ and backend/ on the path)
import networks  # isort: skip
import nightflash  # isort: skip
from nightflash.gimp import plug_in, programs, pyzmq  # isort: skip
from nightflash.gimp.plug_in import Source  # isort: skip
from nightflash.gimp.profiles import CLIENT, Profile  # isort: skip

PACKAGE = CHECKOUT / "backend" / "nightflash"
CLIENT_FILES = [
    str(file.relative_to(PACKAGE))
    for name in CLIENT
    for file in sorted((PACKAGE / name).glob("*.py") if "." not in name else [PACKAGE / name])
]
PLUG_IN = ("nightflash_filter.py", "plugin/__init__.py", "locale/de/nightflash.mo")
FAKE_PIP = """
import json, os, sys, time
from pathlib import Path
control = Path(__file__).parent
with (control / "calls").open("a") as calls:
    print(json.dumps(sys.argv[1:]), file=calls)
if (control / "pip kills").exists():
    os.kill(os.getppid(), 9)
if (control / "pip fails").exists():
    sys.exit("ERROR: No matching distribution found for pyzmq")
target = Path(sys.argv[sys.argv.index("--target") + 1])
(target / "zmq" / "utils").mkdir(parents=True)
(target / "zmq" / "utils" / "__init__.py").touch()
(target / "zmq" / "utils" / "monitor.py").touch()
broken = (control / "wheel is broken").exists()
(target / "zmq" / "__init__.py").write_text("raise ImportError('no libc')" if broken else "")
"""

FAKE_GIMP = """
import os, sys, time, types
from pathlib import Path
control = Path(__file__).parent
if "--version" in sys.argv:
    print("GNU Image Manipulation Program version", VERSION)
    sys.exit()
assert "-i" in sys.argv and sys.argv[-1] == "--quit"
if (control / "gimp fails").exists():
    sys.exit(1)
if (control / "gimp hangs").exists():
    time.sleep(60)
profile = Path(os.environ.get("GIMP3_DIRECTORY") or Path.home() / ".config/GIMP" / VERSION[:3])
if not profile.exists():
    profile.mkdir(parents=True)
    (profile / "moved in").touch()
if "-b" in sys.argv and not (control / "gimp has no python").exists():
    plug_in = profile / "plug-ins/nightflash_filter/nightflash_filter.py"
    listed = os.access(plug_in, os.X_OK) and not (control / "plug-in is broken").exists()
    class Pdb:
        def procedure_exists(self, name):
            return listed and name == "plug-in-nightflash"
    repository = types.ModuleType("gi.repository")
    repository.Gimp = types.SimpleNamespace(get_pdb=Pdb)
    sys.modules |= {"gi": types.ModuleType("gi"), "gi.repository": repository}
    exec(sys.argv[sys.argv.index("-b") + 1])
"""


class Desk:
    """A user's home with GIMP profiles, GIMP programs, GIMP's Python and a pip that pretends."""

    def __init__(self, folder: Path) -> None:
        self.control = folder
        self.fetched: list[networks.Wanted] = []
        self.home = folder / "Jürgens home"
        self.bin = folder / "bin"
        self.checkout = folder / "Nächt flash"
        self.bin.mkdir(parents=True)
        self.home.mkdir()
        (folder / "pip.py").write_text(FAKE_PIP)
        self.python = executable(
            folder / "environment" / "python",
            f'if [ "$3" = pip ]; then shift 3; exec "{sys.executable}" "{folder}/pip.py" "$@"; fi\n'
            f'exec "{sys.executable}" "$@"',
        )
        for name in PLUG_IN:
            self.write(self.checkout / "gimp_plugin/nightflash_filter" / name, f"# {name}")
        self.write(self.checkout / "gimp_plugin/nightflash_filter/__pycache__/nightflash.pyc", "")
        self.write(self.checkout / "gimp_plugin/nightflash_filter/.mypy_cache/CACHEDIR.TAG", "")
        for name in CLIENT_FILES:
            text = "import zmq" if name.endswith("link.py") else f"# {name}"
            self.write(self.checkout / "backend/nightflash" / name, text)

    @staticmethod
    def write(path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def profile(self, version: str = "3.0", base: str = ".config/GIMP") -> Path:
        folder = self.home / base / version
        folder.mkdir(parents=True)
        return folder

    def program(self, name: str, version: str = "3.0.4") -> None:
        script = self.write(self.control / f"{name}.py", f"VERSION = {version!r}\n{FAKE_GIMP}")
        executable(self.bin / name, f'exec "{sys.executable}" "{script}" "$@"')

    def gimp_python(self, *modules: str) -> str:
        """An interpreter with nothing but the standard library and empty ``modules``."""
        library = self.control / "gimp's modules"
        for module in modules:
            self.write(library / module / "__init__.py", "")
        if "zmq" in modules:
            self.write(library / "zmq" / "utils" / "__init__.py", "")
            self.write(library / "zmq" / "utils" / "monitor.py", "")
        script = f'PYTHONPATH="{library}" exec "{sys.executable}" -S "$@"'
        return str(executable(self.control / "gimp python", script))

    def trouble(self, name: str) -> None:
        (self.control / name).touch()

    def pip_calls(self) -> list[list[str]]:
        calls = self.control / "calls"
        if not calls.exists():
            return []
        lines = calls.read_text().splitlines()
        calls.unlink()
        return [json.loads(line) for line in lines]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(tmp_path / "Rechner")
    for name in ("GIMP3_DIRECTORY", "XDG_CONFIG_HOME", "NIGHTFLASH_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(desk.home))
    monkeypatch.setenv("PATH", str(desk.bin))
    monkeypatch.setenv("NIGHTFLASH_HOME", str(desk.home / "däta"))
    monkeypatch.setenv("NIGHTFLASH_RUNTIME_DIR", str(desk.control / "run"))
    monkeypatch.setenv("NIGHTFLASH_PYTHON", str(desk.python))
    monkeypatch.setattr(pyzmq, "SYSTEM_PYTHONS", (desk.gimp_python("gi", "zmq"),))
    monkeypatch.setattr(networks, "fetch", lambda python, wanted: desk.fetched.append(wanted))
    return desk


@pytest.fixture
def without_zmq(desk: Desk) -> Desk:
    shutil.rmtree(desk.control / "gimp's modules" / "zmq")
    return desk


def installed(profile: Path) -> dict[str, object]:
    """What install.json says, after a look at the whole folder: nothing lies beside it."""
    assert [entry.name for entry in (profile / "plug-ins").iterdir()] == ["nightflash_filter"]
    place = profile / "plug-ins" / "nightflash_filter"
    files = {str(p.relative_to(place)) for p in place.rglob("*") if p.is_file()}
    files = {name for name in files if not name.startswith("site/")}
    wanted = {*PLUG_IN, *(f"lib/nightflash/{name}" for name in CLIENT_FILES), "install.json"}
    assert files == wanted
    assert (place / "nightflash_filter.py").stat().st_mode & 0o777 == 0o755
    content = json.loads((place / "install.json").read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def test_the_plug_in_and_the_client_are_put_into_the_profile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NIGHTFLASH_WEIGHTS", "~/gewichte")
    profile = desk.profile()
    assert gimp.install(desk.checkout) == 0
    assert installed(profile) == {
        "command": [str(desk.python), "-P", "-m", "nightflash", "serve"],
        "relay": [str(desk.python), "-P", "-m", "nightflash.client.relay"],
        "installer": "bash install/gimp.sh",
        "environment": {
            "PYTHONPATH": str(profile / "plug-ins/nightflash_filter/lib"),
            "PYTHONNOUSERSITE": "1",
            "NIGHTFLASH_HOME": str(desk.home / "däta"),
            "NIGHTFLASH_WEIGHTS": str(desk.home / "gewichte"),
        },
        "zmq": "own",
        "version": nightflash.__version__,
    }
    about, last = capsys.readouterr().err.splitlines()
    assert f"GIMP 3.0 (package): the plug-in is in {profile}/plug-ins/nightflash_filter" in about
    assert "has pyzmq" in about
    assert "could not be checked" in about
    assert last.endswith("Filters > Light and Shadow > Night with Flash…")
    assert desk.pip_calls() == []


def test_networks_are_fetched_once_the_plug_in_is_there(desk: Desk) -> None:
    desk.profile()
    assert gimp.main([]) == 0
    assert gimp.main(["--download=none"]) == 0
    assert gimp.main(["--uninstall"]) == 0
    assert desk.fetched == [networks.NOTHING_SAID, networks.Wanted("none")]


def test_every_profile_gets_one(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    flatpak = desk.profile("3.0", ".var/app/org.gimp.GIMP/config/GIMP")
    snap = desk.profile("3.0", "snap/gimp/current/.config/GIMP")
    profiles = [desk.profile("3.0"), desk.profile("3.2"), flatpak, snap]
    desk.profile("2.10")
    assert gimp.install(desk.checkout) == 0
    assert [installed(p)["zmq"] for p in profiles] == ["own", "own", "relay", "relay"]
    assert "this GIMP (flatpak) brings its own Python" in capsys.readouterr().err
    assert not (desk.home / ".config/GIMP/2.10/plug-ins").exists()


def test_a_platform_whose_gimp_brings_its_own_python(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = desk.profile()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert gimp.install(desk.checkout) == 0
    assert installed(profile)["zmq"] == "relay"


def test_the_client_is_whole(tmp_path: Path) -> None:
    """What is copied imports nothing of the backend that is left behind, and pyzmq alone."""
    profile = Profile("3.0", "flatpak", tmp_path)
    plug_in.put(profile, Path(sys.executable), Source.of_checkout(CHECKOUT))
    place = tmp_path / "plug-ins" / "nightflash_filter"
    (tmp_path / "zmq" / "utils").mkdir(parents=True)
    for name in ("__init__", "utils/__init__"):
        (tmp_path / "zmq" / f"{name}.py").touch()
    events = "class Event: DISCONNECTED = CLOSED = CONNECT_RETRIED = None"
    (tmp_path / "zmq/__init__.py").write_text(events)
    (tmp_path / "zmq/utils/monitor.py").write_text("recv_monitor_message = None")
    (tmp_path / "zmq/utils/z85.py").touch()
    for name in CLIENT_FILES:
        module = f"nightflash/{name}".removesuffix(".py").removesuffix("/__init__")
        code = f"import sys; sys.path[:1] = sys.argv[1:]; import {module.replace('/', '.')}"
        command = [sys.executable, "-I", "-S", "-c", code, place / "lib", tmp_path]
        assert subprocess.run(command).returncode == 0, name


def test_a_wheel_for_gimps_python_goes_into_the_plug_in(
    without_zmq: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = without_zmq.profile()
    assert gimp.install(without_zmq.checkout) == 0
    assert installed(profile)["zmq"] == "private"
    assert (profile / "plug-ins/nightflash_filter/site/zmq/__init__.py").is_file()
    (call,) = without_zmq.pip_calls()
    assert call[0] == "install"
    assert "--only-binary=:all:" in call
    assert call[call.index("--python-version") + 1] == ".".join(map(str, sys.version_info[:2]))
    assert call[-1].startswith("pyzmq>=")
    assert any("linux" in call[i + 1] for i, word in enumerate(call) if word == "--platform")
    assert "is in the plug-in's folder" in capsys.readouterr().err


def test_a_pyzmq_that_is_there_serves_again_without_a_network(without_zmq: Desk) -> None:
    profile = without_zmq.profile()
    assert gimp.install(without_zmq.checkout) == 0
    without_zmq.pip_calls()
    without_zmq.trouble("pip fails")
    assert gimp.install(without_zmq.checkout) == 0
    assert installed(profile)["zmq"] == "private"
    assert without_zmq.pip_calls() == []
    broken = profile / "plug-ins/nightflash_filter/site/zmq/__init__.py"
    broken.write_text("raise ImportError('made for an older Python')")
    assert gimp.install(without_zmq.checkout) == 0
    assert installed(profile)["zmq"] == "relay"
    assert not broken.exists()
    assert len(without_zmq.pip_calls()) == 1


@pytest.mark.parametrize("trouble", ["pip fails", "wheel is broken"])
def test_where_no_pyzmq_can_be_had_the_relay_stands_in(
    without_zmq: Desk, capsys: pytest.CaptureFixture[str], trouble: str
) -> None:
    profile = without_zmq.profile()
    without_zmq.trouble(trouble)
    assert gimp.install(without_zmq.checkout) == 0
    assert installed(profile)["zmq"] == "relay"
    assert not (profile / "plug-ins/nightflash_filter/site").exists()
    assert "python3-zmq" in capsys.readouterr().err


def test_without_a_python_of_the_system_the_relay_stands_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = desk.profile()
    dead = executable(desk.control / "dead", "exit 1")
    monkeypatch.setattr(pyzmq, "SYSTEM_PYTHONS", ("/no/such/python3", str(dead)))
    assert gimp.install(desk.checkout) == 0
    assert installed(profile)["zmq"] == "relay"


def test_a_python_that_is_too_old_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = desk.profile()
    monkeypatch.setattr(pyzmq, "OLDEST", (9, 0))
    assert gimp.install(desk.checkout) == 0
    assert installed(profile)["zmq"] == "relay"
    assert "needs 9.0 or newer" in capsys.readouterr().err


def test_the_interpreter_with_gi_is_gimps(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.profile()
    bare = executable(desk.control / "bare", f'exec "{sys.executable}" -S "$@"')
    with_gi = pyzmq.SYSTEM_PYTHONS[0]
    monkeypatch.setattr(pyzmq, "SYSTEM_PYTHONS", (str(bare), with_gi))
    found = pyzmq.GimpPython.find()
    assert found is not None
    assert found.program == with_gi
    monkeypatch.setattr(pyzmq, "SYSTEM_PYTHONS", (str(bare),))
    assert gimp.install(desk.checkout) == 0
    assert "has no gi module" in capsys.readouterr().err


def test_what_lies_in_the_callers_folder_is_not_taken_for_pyzmq(
    without_zmq: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = without_zmq.profile()
    without_zmq.trouble("pip fails")
    here = without_zmq.write(without_zmq.control / "here/zmq/utils/monitor.py", "").parents[2]
    (here / "json.py").write_text("raise SystemExit('the caller has a file of this name')")
    monkeypatch.chdir(here)
    monkeypatch.setenv("PYTHONPATH", str(here))
    assert gimp.install(without_zmq.checkout) == 0
    assert installed(profile)["zmq"] == "relay"


@pytest.mark.parametrize(
    ("libc", "first", "last", "count"),
    [
        (("glibc", "2.41"), "manylinux_2_41_riscv", "manylinux1_riscv", 41),
        (("glibc", "2.14"), "manylinux_2_14_riscv", "manylinux1_riscv", 13),
        (("", ""), "musllinux_1_2_riscv", "musllinux_1_1_riscv", 3),
    ],
)
def test_platforms_that_fit(libc: tuple[str, str], first: str, last: str, count: int) -> None:
    tags = pyzmq._platforms("riscv", *libc)
    assert (tags[0], tags[-2], tags[-1]) == (first, last, "linux_riscv")
    assert len(tags) == count


def test_without_gimp_a_sentence_says_what_to_do(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.program("gimp", "2.10.34")
    desk.profile("2.10")
    assert gimp.main([]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "install GIMP 3.0 or newer, start it once" in line
    assert not (desk.home / "däta").exists()
    assert not (desk.home / ".config/GIMP/3.0").exists()


def test_a_gimp_that_was_never_started_is_started_once(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.profile("3.0")
    desk.program("gimp-console-3.2", "3.2.6")
    desk.program("gimp-3.2", "3.2.6")
    assert gimp.install(desk.checkout) == 0
    profile = desk.home / ".config/GIMP/3.2"
    assert (profile / "moved in").exists()
    assert installed(profile)["zmq"] == "own"
    err = capsys.readouterr().err
    assert err.count("Starting GIMP 3.2 for the first time") == 1
    assert err.count("; GIMP lists it") == 1
    assert gimp.install(desk.checkout) == 0
    assert "for the first time" not in capsys.readouterr().err


def test_a_gimp_that_does_not_start_gets_its_folder_all_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.program("gimp")
    desk.trouble("gimp fails")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(desk.home / "cönfig"))
    assert gimp.install(desk.checkout) == 0
    installed(desk.home / "cönfig/GIMP/3.0")
    assert "could not be checked, as" in capsys.readouterr().err


def test_the_folder_that_a_variable_names(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.program("gimp-console")
    mine = desk.home / "meine Einstellungen"
    monkeypatch.setenv("GIMP3_DIRECTORY", str(mine))
    assert gimp.install(desk.checkout) == 0
    installed(mine)
    assert gimp.uninstall() == 0
    assert not (mine / "plug-ins/nightflash_filter").exists()


def test_the_gimp_of_a_snap_is_no_distributions(desk: Desk) -> None:
    desk.program("snap")
    (desk.bin / "gimp").symlink_to(desk.bin / "snap")
    assert programs.find_programs() == []


@pytest.mark.parametrize(
    ("trouble", "code", "sentence"),
    [
        ("", 0, "; GIMP lists it"),
        ("plug-in is broken", 1, "GIMP does not list the plug-in in"),
        ("gimp has no python", 0, "could not be checked, as"),
        ("gimp hangs", 0, "could not be checked, as"),
    ],
)
def test_gimp_is_asked_for_the_plug_in(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    trouble: str,
    code: int,
    sentence: str,
) -> None:
    profile = desk.profile()
    desk.program("gimp-console-3.0")
    if trouble:
        desk.trouble(trouble)
        monkeypatch.setattr(programs, "START_SECONDS", 1.0)
    assert gimp.install(desk.checkout) == code
    installed(profile)
    err = capsys.readouterr().err
    assert sentence in err
    assert ("Restart GIMP" in err) == (code == 0)


def test_an_older_one_is_replaced_whole(desk: Desk) -> None:
    profile = desk.profile()
    assert gimp.install(desk.checkout) == 0
    place = profile / "plug-ins" / "nightflash_filter"
    desk.write(place / "gone in this version.py", "")
    desk.write(place / "plugin" / "__pycache__" / "x.pyc", "")
    assert gimp.install(desk.checkout) == 0
    installed(profile)
    assert gimp.install(desk.checkout) == 0
    installed(profile)


def test_the_plug_in_of_an_older_version_is_replaced(without_zmq: Desk) -> None:
    """It had another name, and its pyzmq serves the new one."""
    profile = without_zmq.profile()
    assert gimp.install(without_zmq.checkout) == 0
    (profile / "plug-ins/nightflash_filter").rename(profile / "plug-ins/nightflash")
    assert gimp.install(without_zmq.checkout) == 0
    assert installed(profile)["zmq"] == "private"
    assert len(without_zmq.pip_calls()) == 1


def foreign_folder(place: Path) -> None:
    place.mkdir()
    (place / "nightflash_filter.py").touch()


def folder_with_a_mark_of_others(place: Path) -> None:
    place.mkdir()
    (place / "install.json").write_text("[]")


def link_to_ours(place: Path) -> None:
    other = place.parent.parent / "elsewhere"
    other.mkdir()
    (other / "install.json").write_text('{"command": []}')
    place.symlink_to(other)


@pytest.mark.parametrize(
    "occupy",
    [
        foreign_folder,
        folder_with_a_mark_of_others,
        link_to_ours,
        Path.touch,
        lambda place: place.symlink_to("nowhere"),
    ],
    ids=["folder", "mark", "link", "file", "dead link"],
)
def test_what_is_not_its_own_stays_and_the_other_profile_is_done(
    desk: Desk, capsys: pytest.CaptureFixture[str], occupy: Callable[[Path], None]
) -> None:
    taken, free = desk.profile("3.2"), desk.profile("3.0")
    (taken / "plug-ins").mkdir()
    place = taken / "plug-ins" / "nightflash_filter"
    occupy(place)
    before = sorted(taken.rglob("*"))
    assert gimp.install(desk.checkout) == 1
    assert sorted(taken.rglob("*")) == before
    installed(free)
    err = capsys.readouterr().err
    assert f"GIMP 3.2 (package): {place} was not made by this installer" in err
    assert "Restart GIMP" not in err
    assert gimp.uninstall() == 0
    assert sorted(taken.rglob("*")) == before
    assert not (free / "plug-ins" / "nightflash_filter").exists()


def test_a_profile_that_is_a_link(desk: Desk) -> None:
    real = desk.home / "Größere Platte"
    real.mkdir()
    folder = desk.home / ".config/GIMP"
    folder.mkdir(parents=True)
    (folder / "3.0").symlink_to(real)
    assert gimp.install(desk.checkout) == 0
    installed(real)
    assert gimp.uninstall() == 0
    assert (folder / "3.0").is_symlink()
    assert list((real / "plug-ins").iterdir()) == []


def test_a_profile_that_cannot_be_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed, other = desk.profile("3.2"), desk.profile("3.0")
    assert gimp.install(desk.checkout) == 0
    make = tempfile.mkdtemp

    def refuse(prefix: str, dir: Path | None = None) -> str:  # noqa: A002
        if dir is not None and closed in dir.parents:
            raise PermissionError(13, "Permission denied", str(dir))
        return make(prefix=prefix, dir=dir)

    monkeypatch.setattr(plug_in.tempfile, "mkdtemp", refuse)
    assert gimp.install(desk.checkout) == 1
    installed(closed)
    installed(other)
    err = capsys.readouterr().err
    assert f"GIMP 3.2 (package): {closed}/plug-ins could not be changed" in err
    assert "Traceback" not in err


def test_a_file_in_place_of_the_plug_ins(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    profile = desk.profile()
    (profile / "plug-ins").touch()
    assert gimp.install(desk.checkout) == 1
    assert "plug-ins could not be changed" in capsys.readouterr().err
    assert (profile / "plug-ins").is_file()


def test_an_older_one_is_back_when_the_new_cannot_take_its_place(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = desk.profile()
    assert gimp.install(desk.checkout) == 0
    before = (profile / "plug-ins/nightflash_filter").stat().st_ino
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if re.fullmatch(r"\.nightflash_filter-\w+", self.name) and target == profile.joinpath(
            "plug-ins", "nightflash_filter"
        ):
            raise PermissionError(13, "The file is in use")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    assert gimp.install(desk.checkout) == 1
    installed(profile)
    assert (profile / "plug-ins/nightflash_filter").stat().st_ino == before


@pytest.mark.parametrize(
    "lacking",
    ["gimp_plugin/nightflash_filter/nightflash_filter.py", "backend/nightflash/client/client.py"],
)
def test_an_incomplete_checkout_changes_nothing(
    desk: Desk, capsys: pytest.CaptureFixture[str], lacking: str
) -> None:
    profile = desk.profile()
    assert gimp.install(desk.checkout) == 0
    (desk.checkout / lacking).unlink()
    assert gimp.install(desk.checkout) == 1
    assert f"lacks {desk.checkout / lacking}; get it anew" in capsys.readouterr().err
    installed(profile)


def test_an_interrupt_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = desk.profile()

    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(plug_in, "provide", interrupt)
    monkeypatch.setattr(plug_in, "_copy", lambda source, folder: None)
    assert gimp.main([]) == 130
    assert list((profile / "plug-ins").iterdir()) == []


def install_elsewhere(desk: Desk) -> subprocess.Popen[bytes]:
    """The installer in a process of its own."""
    code = (
        f"import sys; sys.path.insert(0, {str(CHECKOUT / 'install')!r})\n"
        "from pathlib import Path\nimport gimp\nfrom nightflash.gimp import pyzmq\n"
        f"pyzmq.SYSTEM_PYTHONS = {pyzmq.SYSTEM_PYTHONS!r}\n"
        f"sys.exit(gimp.install(Path({str(desk.checkout)!r})))"
    )
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)


def test_several_at_once_come_one_after_the_other(without_zmq: Desk) -> None:
    profile = without_zmq.profile()
    runs = [install_elsewhere(without_zmq) for _ in range(3)]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    assert installed(profile)["zmq"] == "private"
    assert len(without_zmq.pip_calls()) == 1


def test_a_killed_run_is_made_good_by_the_next(without_zmq: Desk) -> None:
    profile = without_zmq.profile()
    without_zmq.trouble("pip kills")
    assert install_elsewhere(without_zmq).wait(60) == -9
    (left,) = (profile / "plug-ins").iterdir()
    assert left.name.startswith(".nightflash_filter-")
    (profile / "plug-ins" / ".nightflash_filter-of-others").mkdir()
    without_zmq.trouble("pip fails")
    (without_zmq.control / "pip kills").unlink()
    assert gimp.install(without_zmq.checkout) == 0
    assert not left.exists()
    (profile / "plug-ins" / ".nightflash_filter-of-others").rmdir()
    installed(profile)


def test_uninstall_removes_what_it_made(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    profiles = [desk.profile("3.0"), desk.profile("3.2", ".var/app/org.gimp.GIMP/config/GIMP")]
    neighbour = desk.write(profiles[0] / "plug-ins/other/other.py", "")
    assert gimp.install(desk.checkout) == 0
    for name in (".nightflash_filter-left", ".nightflash-left", "nightflash"):
        shutil.copytree(profiles[0] / "plug-ins/nightflash_filter", profiles[0] / "plug-ins" / name)
    capsys.readouterr()
    assert gimp.main(["--uninstall"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line.count("was removed") for line in lines] == [1, 2]
    assert [p.name for p in (profiles[0] / "plug-ins").iterdir()] == ["other"]
    assert list((profiles[1] / "plug-ins").iterdir()) == []
    assert neighbour.is_file()
    assert gimp.main(["--uninstall"]) == 0
    assert capsys.readouterr().err.count("the plug-in is not there") == 2


def test_uninstall_goes_on_where_it_was_interrupted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = desk.profile()
    assert gimp.install(desk.checkout) == 0
    remove = shutil.rmtree

    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(plug_in.shutil, "rmtree", refuse)
    assert gimp.uninstall() == 1
    assert not (profile / "plug-ins" / "nightflash_filter").exists()
    monkeypatch.setattr(plug_in.shutil, "rmtree", remove)
    assert gimp.uninstall() == 0
    assert list((profile / "plug-ins").iterdir()) == []


def test_uninstall_without_gimp(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.program("gimp")
    assert gimp.main(["--uninstall"]) == 0
    assert "nothing to remove" in capsys.readouterr().err
    assert list(desk.home.iterdir()) == []


@pytest.fixture
def left(desk: Desk) -> Path:
    """The data folder with an environment and networks, and something of the user's own."""
    home = desk.home / "däta"
    for name in ("environment/bin/python", "environment/complete.json", "weights/a.pt", "mine"):
        desk.write(home / name, "x" * 1000)
    return home


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("gimps", [0, 1])
def test_uninstall_leaves_environment_and_networks_and_says_how_they_go(
    desk: Desk, left: Path, capsys: pytest.CaptureFixture[str], gimps: int
) -> None:
    for _ in range(gimps):
        desk.profile()
    assert gimp.main(["--uninstall"]) == 0
    assert {"environment", "weights", "mine"} <= set(names(left))
    printed = capsys.readouterr().err
    assert "GB in" in printed
    assert "--uninstall --everything" in printed


def test_uninstall_of_everything_leaves_what_is_the_users(
    desk: Desk, left: Path, tmp_path: Path
) -> None:
    elsewhere = desk.write(tmp_path / "Platte/networks/b.pt", "mine too").parent
    shutil.rmtree(left / "weights")
    (left / "weights").symlink_to(elsewhere)
    assert gimp.main(["--uninstall", "--everything"]) == 0
    assert names(left) == ["mine"]
    assert names(elsewhere) == ["b.pt"]
    (left / "mine").unlink()
    desk.write(left / "weights/a.pt", "")
    assert gimp.main(["--everything", "--uninstall"]) == 0
    assert not left.exists()
    assert gimp.main(["--everything"]) == 1


@pytest.mark.parametrize(("answer", "stays"), [("y", False), ("n", True), ("", True)])
def test_at_a_terminal_uninstall_asks(desk: Desk, left: Path, answer: str, stays: bool) -> None:
    control, terminal = os.openpty()
    code = (
        f"import sys; sys.path.insert(0, {str(CHECKOUT / 'install')!r})\n"
        "import gimp; sys.exit(gimp.main(['--uninstall']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=terminal, stdout=terminal, stderr=terminal
    ) as run:
        printed = b""
        while b"[y/N]" not in printed:
            printed += os.read(control, 1000)
        os.write(control, f"{answer}\n".encode())
        assert run.wait(60) == 0
    os.close(control)
    os.close(terminal)
    assert (left / "environment").exists() == (left / "weights").exists() == stays


@pytest.mark.parametrize("arguments", [["--download", "none"], ["--uninstall"]])
def test_a_backend_of_before_is_ended(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    desk.profile()
    with tempfile.TemporaryDirectory(prefix="nf") as run:
        monkeypatch.setenv("NIGHTFLASH_RUNTIME_DIR", run)
        monkeypatch.setenv("NIGHTFLASH_STATE_DIR", run)
        monkeypatch.setenv("PYTHONPATH", str(CHECKOUT / "backend"))
        command = [sys.executable, "-P", "-m", "nightflash", "serve", "--networks", "builtin"]
        with subprocess.Popen([*command, "--device", "cpu"]) as backend:
            try:
                while not (Path(run) / "connection.json").exists():
                    assert backend.poll() is None
                    time.sleep(0.05)
                assert gimp.main(arguments) == 0
                assert backend.wait(30) == 0
            finally:
                backend.kill()


def test_an_unknown_argument_is_a_fault(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.profile()
    assert gimp.main(["--remove", "now"]) == 1
    assert "'--remove now' is not understood" in capsys.readouterr().err


def test_help_needs_no_set_up(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert gimp.main(["--uninstall", "--help"]) == 0
    assert "--uninstall" in capsys.readouterr().out
    assert list(desk.home.iterdir()) == []


def test_the_script_installs_and_uninstalls(desk: Desk) -> None:
    """The whole way from a checkout whose folder has a space and an umlaut."""
    profile = desk.profile()
    shutil.copytree(
        CHECKOUT / "install", desk.checkout / "install", ignore=shutil.ignore_patterns("__pyc*")
    )
    shutil.copy(CHECKOUT / "pyproject.toml", desk.checkout)
    package = desk.checkout / "backend" / "nightflash"
    shutil.copytree(CHECKOUT / "backend" / "nightflash" / "gimp", package / "gimp")
    for name in (*CLIENT_FILES, "folders.py"):
        shutil.copy(CHECKOUT / "backend" / "nightflash" / name, package / name)
    for tool in ("bash", "dirname"):
        (desk.bin / tool).symlink_to(f"/usr/bin/{tool}")
    desk.trouble("pip fails")
    script = desk.checkout / "install" / "gimp.sh"
    variables = {**os.environ, "LC_ALL": "C"}
    for arguments, line in (
        (["--download", "none"], "the plug-in is in"),
        (["--uninstall"], "was removed"),
    ):
        result = subprocess.run(
            ["bash", script, *arguments],
            cwd=desk.home,
            env=variables,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
        assert result.returncode == 0, result.stderr
        assert line.encode() in result.stderr
        assert result.stdout == b""
        assert (profile / "plug-ins/nightflash_filter").exists() == (arguments != ["--uninstall"])


def test_the_script_tells_its_use(tmp_path: Path) -> None:
    home = tmp_path / "data"
    result = run_script("gimp.sh", "--help", cwd=tmp_path, NIGHTFLASH_HOME=str(home))
    assert result.returncode == 0
    assert result.stdout.startswith("bash install/gimp.sh [--download SET | --uninstall [")
    assert not home.exists()


def test_the_script_for_windows_is_whole() -> None:
    script = (CHECKOUT / "install" / "gimp.ps1").read_text(encoding="ascii")  # as 5.1 reads it
    assert script.count("{") == script.count("}")
    assert script.count("(") == script.count(")")
