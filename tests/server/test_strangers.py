"""The folder of the lock may be anybody's, and what lies in it anything: nobody is harmed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nightflash.client.connection import Connection
from nightflash.client.holder import backend_runs, end, holders, running_pid

from tests.command_line import environment
from tests.server.backend import Place, a_place, until
from tests.server.test_lifecycle import runs

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the locks of Unix")

SLEEPS = (sys.executable, "-c", "import time; time.sleep(300)")


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the user's that has nothing to do with it all."""
    with subprocess.Popen(SLEEPS) as process:
        yield process
        process.kill()


@pytest.fixture
def empty() -> Iterator[Place]:
    with a_place() as place:
        (place.folder / "run").mkdir(mode=0o700)
        yield place


def locked(path: Path) -> subprocess.Popen[str]:
    """A process that holds the lock of a file as another program does, without a name on it."""
    code = (
        "import fcntl, sys, time; file = open(sys.argv[1], 'a+b');"
        "fcntl.flock(file, fcntl.LOCK_EX); print('locked', flush=True); time.sleep(300)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


def test_a_spoilt_pid_file_kills_nobody(empty: Place, bystander: subprocess.Popen[bytes]) -> None:
    """The backend's file of the process number, as anything may have left it."""
    with locked(empty.folder / "run" / "backend.lock") as holder:
        try:
            (empty.folder / "run" / "backend.pid").write_text(str(bystander.pid))
            result = empty.command("stop")
            assert bystander.poll() is None, "a process that holds no lock was killed"
            assert result.returncode == 2
            assert len(result.stderr.splitlines()) == 1
        finally:
            holder.kill()


@pytest.mark.skipif(os.getuid() != 0, reason="needs to be root, to have somebody else's folder")
@pytest.mark.parametrize("lock", ["unreadable", "pipe", "link", "folder"])
def test_a_folder_that_a_stranger_made_first(
    empty: Place, bystander: subprocess.Popen[bytes], lock: str
) -> None:
    run = empty.folder / "run"
    path = run / "backend.lock"
    {
        "unreadable": lambda: path.touch(mode=0),
        "pipe": lambda: os.mkfifo(path),
        "link": lambda: path.symlink_to("/dev/zero"),
        "folder": path.mkdir,
    }[lock]()
    os.mkfifo(run / "connection.json")
    (run / "backend.pid").write_text(str(bystander.pid))
    os.chown(run, 12345, 12345)
    for command in ("stop", "status", "serve"):
        result = empty.command(command)
        assert (result.returncode, result.stdout) == (2, ""), command
        assert "belongs to another user" in result.stderr
        assert len(result.stderr.splitlines()) == 1
    assert bystander.poll() is None


AS_ANOTHER_USER = """
import os, sys, tempfile
from nightflash import cli
from nightflash.commands import backend
from nightflash.client import client, ending
from nightflash.server import lifecycle
temporary, user, command = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.setgroups([]); os.setgid(user); os.setuid(user)
for name in ("XDG_RUNTIME_DIR", "NIGHTFLASH_RUNTIME_DIR"):
    os.environ.pop(name, None)
os.environ["NIGHTFLASH_STATE_DIR"] = temporary + "/state"
tempfile.tempdir = temporary
if command == "client":
    try:
        client.Client(["/bin/false"]).connect()
    except cli.NightFlashError as fault:
        sys.exit(str(fault))
sys.exit(cli.main([command]))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="needs to be root, to become somebody else")
@pytest.mark.parametrize("hostile", ["another's", "link", "open"])
@pytest.mark.parametrize("lock", ["pipe", "unreadable", "held"])
def test_a_user_whose_temporary_folder_is_hostile(hostile: str, lock: str) -> None:
    """As that user: nobody is killed, nothing is read, nothing hangs; one sentence."""
    user, stranger = 12345, 23456
    with tempfile.TemporaryDirectory(prefix="nf") as name:
        temporary = Path(name)
        temporary.chmod(0o1777)
        folder = temporary / f"nightflash-{user}"
        real = temporary / "elsewhere" if hostile == "link" else folder
        real.mkdir()
        with contextlib.ExitStack() as stack:
            own = stack.enter_context(
                subprocess.Popen(["sleep", "300"], user=user, group=user, extra_groups=[])
            )
            stack.callback(own.kill)
            os.mkfifo(real / "connection.json")
            (real / "backend.pid").write_text(str(own.pid))
            if lock == "pipe":
                os.mkfifo(real / "backend.lock")
            elif lock == "unreadable":
                (real / "backend.lock").touch(0)
            else:
                stack.callback(stack.enter_context(locked(real / "backend.lock")).kill)
            owner = user if hostile == "open" else stranger
            for path in (real, *real.iterdir()):
                os.chown(path, owner, owner)
            real.chmod(0o777)
            if hostile == "link":
                folder.symlink_to(real)
                os.chown(folder, stranger, stranger, follow_symlinks=False)
            for command in ("stop", "status", "serve", "client"):
                result = subprocess.run(
                    [sys.executable, "-c", AS_ANOTHER_USER, name, str(user), command],
                    env=environment(),
                    capture_output=True,
                    text=True,
                    timeout=60,
                )
                assert result.returncode == (1 if command == "client" else 2), result.stderr
                assert len(result.stderr.splitlines()) == 1
                assert str(folder) in result.stderr
                assert own.poll() is None, "a process of the user's was killed"


@pytest.mark.parametrize("spoil", [os.mkfifo, os.mkdir])
def test_a_pipe_or_folder_in_the_users_own_folder_hangs_nothing(
    empty: Place, spoil: Callable[[Path], None]
) -> None:
    for name in ("connection.json", "backend.lock", "backend.pid"):
        path = empty.folder / "run" / name
        spoil(path)
        path.chmod(0o700 if spoil is os.mkdir else 0o600)
    for command in ("stop", "status"):
        result = empty.command(command)
        assert result.returncode in (0, 2, 3)
        assert len((result.stderr + result.stdout).splitlines()) == 1
        assert "Traceback" not in result.stderr


def test_a_pipe_or_folder_as_the_connection_file_is_mended() -> None:
    with a_place() as place, place.client() as client:
        pid = client.ask("hello")["pid"]
        path = Connection.path()
        path.unlink()
        os.mkfifo(path, 0o600)
        assert any(path.is_file() for _ in until(5))
        path.unlink()
        path.mkdir(0o700)
        (path / "in the way").touch()
        result = place.command("status")
        assert (result.returncode, f"process {pid}" in result.stdout) == (0, True)
        assert path.is_file()


def test_only_who_holds_the_lock_is_ended(
    bystander: subprocess.Popen[bytes],
) -> None:
    end(bystander.pid, at_once=True)
    for pid in (-1, 0, 1):
        end(pid, at_once=True)
    assert bystander.poll() is None


def test_the_system_names_the_process_also_while_it_starts() -> None:
    with a_place() as place:
        command = (sys.executable, "-m", "nightflash", "serve", *place.options)
        with subprocess.Popen(command, env=place.variables, stdout=subprocess.PIPE) as process:
            assert any(running_pid() == process.pid for _ in until(30))
            assert not Connection.path().exists(), "it has not begun to serve"
            result = place.command("status")
            assert "No backend runs" not in result.stdout
            assert str(process.pid) in result.stdout + result.stderr
            assert holders() == {process.pid}
            place.command("stop")
            assert process.wait(10) is not None
            assert not backend_runs()


@pytest.mark.parametrize("what", ["lock", "folder"])
def test_without_its_lock_a_backend_ends(what: str) -> None:
    with a_place() as place:
        with place.client() as client:
            first = client.ask("hello")["pid"]
        if what == "lock":
            (place.folder / "run" / "backend.lock").unlink()
        else:
            shutil.rmtree(place.folder / "run")
        with place.client() as client:
            second = client.ask("hello")["pid"]
            assert second != first
            assert any(not runs(first) for _ in until(10))
            assert client.ask("status")["pid"] == second
        assert any(place.pid() == second for _ in until(5)), "and takes nothing of the other's"
        assert "its lock was taken away" in place.log


def test_stop_ends_a_hung_backend_whose_lock_is_gone() -> None:
    with a_place() as place:
        with place.client() as client:
            first = client.ask("hello")["pid"]
        os.kill(first, signal.SIGSTOP)
        shutil.rmtree(place.folder / "run")
        with place.client() as client:
            second = client.ask("hello")["pid"]
        result = place.command("stop")
        assert f"process {first}" in result.stdout
        assert any(not runs(first) and not runs(second) for _ in until(5))


def test_a_lost_socket_is_bound_again() -> None:
    with a_place() as place:
        with place.client() as client:
            pid = client.ask("hello")["pid"]
        for name in ("requests.ipc", "pulse.ipc"):
            (place.folder / "run" / name).unlink()
        assert place.pid() == pid, "found again by one that starts none"
        (place.folder / "run" / "requests.ipc").unlink()
        with place.client() as client:
            assert client.ask("hello")["pid"] == pid
        assert "is bound again" in place.log
