"""Begun once, ended without a trace; killed, and back on the next request."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq
from nightflash import Cancelled, NightFlashError, __version__
from nightflash.client.client import Client
from nightflash.client.connection import Connection
from nightflash.client.link import BackendLost

from tests.server.backend import SERVE, Place, a_place, array, pixels, until

LARGE = pixels(np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8))
SMALL = pixels(np.full((20, 30, 3), 90, np.uint8))
LONG: dict[str, Any] = {"quality": "best", "steps": 1000, "content": 20.0}
SHORT: dict[str, Any] = {"quality": "best", "steps": 3}


@pytest.fixture(scope="module")
def shared_place() -> Iterator[Place]:
    """One for all tests that leave a backend behind them or none."""
    with a_place() as place:
        yield place


@pytest.fixture
def place(shared_place: Place) -> Place:
    return shared_place


def once_it_refines(action: Callable[[], object]) -> Callable[[str, float, str], None]:
    done = threading.Event()

    def report_progress(stage: str, fraction: float, sentence: str) -> None:
        if stage == "refine" and not done.is_set():
            done.set()
            action()

    return report_progress


def test_a_client_starts_the_backend_and_tells_so(place: Place) -> None:
    place.command("stop")
    sentences: list[str] = []
    with place.client() as client:
        about = client.connect(lambda stage, fraction, sentence: sentences.append(sentence))
        assert about["pid"] == place.pid()
        assert client.work("preview", SMALL).header["reply"] == "result"
    assert sentences == ["Starting the backend"]
    assert place.pid() == about["pid"], "it outlives the client"


def test_a_client_that_shall_start_none_says_what_to_do() -> None:
    with a_place() as empty, empty.client(starts=False) as client:
        with pytest.raises(NightFlashError) as caught:
            client.ask("status")
        assert caught.value.code == "no_backend"
        assert "nightflash serve" in caught.value.remedy


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["/nowhere/python"], "cannot be started"),
        ([sys.executable, "-c", "raise SystemExit('no torch here')"], "words: no torch here"),
    ],
)
def test_a_backend_that_cannot_start_is_told(command: list[str], sentence: str) -> None:
    with a_place(), Client(command) as client:
        with pytest.raises(NightFlashError, match=sentence) as caught:
            client.ask("status")
        assert caught.value.code == "start_failed"
        assert caught.value.remedy


def test_a_log_that_cannot_be_written_is_told_with_its_remedy(tmp_path: Path) -> None:
    with a_place() as place, pytest.MonkeyPatch.context() as patch:
        (tmp_path / "file").touch()
        patch.setenv("NIGHTFLASH_STATE_DIR", str(tmp_path / "file" / "state"))
        with place.client() as client, pytest.raises(NightFlashError) as caught:
            client.connect()
        assert caught.value.code == "start_failed"
        assert "NIGHTFLASH_STATE_DIR" in caught.value.remedy
        assert "installer" not in caught.value.remedy


def test_an_over_long_path_is_told_in_a_sentence() -> None:
    with a_place() as place:
        for command in ("stop", "status"):
            result = subprocess.run(
                [sys.executable, "-m", "nightflash", command],
                env={**place.variables, "NIGHTFLASH_RUNTIME_DIR": "/tmp/" + 300 * "x"},
                capture_output=True,
                text=True,
            )
            assert result.returncode in (0, 2, 3)
            assert len((result.stdout + result.stderr).splitlines()) == 1


def test_starting_can_be_cancelled() -> None:
    stop = threading.Event()
    stop.set()
    with a_place() as empty, empty.client() as client, pytest.raises(Cancelled):
        client.connect(cancel=stop)


def test_of_two_started_at_once_one_serves_and_the_other_says_so() -> None:
    with a_place() as empty:
        command = [*SERVE, *empty.options]
        both = [
            subprocess.Popen(command, env=empty.variables, stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        with empty.client(starts=False) as client:
            for _ in until(30):
                with contextlib.suppress(NightFlashError):
                    serving = client.ask("status")["pid"]
                    break
        loser = next(process for process in both if process.pid != serving)
        said, _ = loser.communicate(timeout=30)
        assert loser.returncode == 0
        assert "runs already" in said
        assert empty.pid() == serving
        empty.command("stop")
        for process in both:
            process.communicate(timeout=30)


def test_killed_while_it_renders_it_is_told_at_once_and_the_next_request_succeeds(
    place: Place,
) -> None:
    with place.client() as client:
        killed: list[float] = []

        def kill() -> None:
            place.kill(signal.SIGKILL)
            killed.append(time.monotonic())

        with pytest.raises(BackendLost) as caught:
            client.work(
                "render", LARGE, settings=LONG, report_progress=once_it_refines(kill), retry=False
            )
        assert time.monotonic() - killed[0] < 2
        assert caught.value.sentence == "The backend ended unexpectedly."
        assert caught.value.remedy
        first = client.work("render", LARGE, settings=SHORT)
        sentences: list[str] = []
        report_progress = once_it_refines(lambda: place.kill(signal.SIGKILL))

        def listen(stage: str, fraction: float, sentence: str) -> None:
            sentences.append(sentence)
            report_progress(stage, fraction, sentence)

        again = client.work("render", LARGE, settings=SHORT, report_progress=listen)
        assert "The backend ended unexpectedly. Starting it anew." in sentences
        np.testing.assert_array_equal(array(again.pictures[0]), array(first.pictures[0]))


def test_a_killed_client_stops_its_job(place: Place) -> None:
    code = (
        "import sys; from tests.server.test_lifecycle import *\n"
        "from nightflash.client.client import Client\n"
        "Client(None).work('render', LARGE, settings=LONG,"
        " report_progress=once_it_refines(lambda: print('refining', flush=True)))"
    )
    with place.client() as watcher:
        watcher.work("preview", SMALL)
        client = subprocess.Popen(
            [sys.executable, "-c", code], env=place.variables, stdout=subprocess.PIPE, text=True
        )
        assert client.stdout is not None
        assert client.stdout.readline() == "refining\n"
        assert watcher.ask("status")["jobs"] == 1
        client.kill()
        client.communicate()
        started = time.monotonic()
        assert any(watcher.ask("status")["jobs"] == 0 for _ in until(10))
        assert time.monotonic() - started < 1
        assert "1 of its requests were dropped" in place.log


def test_a_backend_that_was_killed_leaves_files_that_disturb_nobody(place: Place) -> None:
    with place.client() as client:
        client.connect()
    stale = Connection.read()
    assert stale is not None
    place.kill(signal.SIGKILL)
    assert Connection.read() == stale
    assert place.command("status").returncode == 3
    assert place.command("stop").stdout == "No backend runs.\n"
    with place.client() as client:
        assert client.work("preview", SMALL).header["reply"] == "result"
        assert client.connect()["pid"] != stale.pid


@pytest.mark.parametrize("way", ["stop", "SIGTERM", "SIGINT", "shutdown"])
def test_it_ends_at_once_and_leaves_nothing_behind(place: Place, way: str) -> None:
    outcome: list[object] = []
    with place.client() as client, place.client(starts=False) as other:
        client.work("preview", LARGE)
        pid = place.pid()
        refining = threading.Event()

        def work() -> None:
            try:
                client.work(
                    "render",
                    LARGE,
                    settings=LONG,
                    report_progress=once_it_refines(refining.set),
                    retry=False,
                )
            except NightFlashError as fault:
                outcome.append(fault.sentence)

        thread = threading.Thread(target=work)
        thread.start()
        assert refining.wait(60)
        started = time.monotonic()
        if way == "stop":
            assert place.command("stop").stdout == "The backend has ended.\n"
        elif way == "shutdown":
            other.ask("shutdown")
        else:
            os.kill(pid, getattr(signal, way))
        for _ in until(10):
            if not (place.folder / "run" / "connection.json").exists() and not runs(pid):
                break
        assert time.monotonic() - started < 5
        assert not runs(pid)
        thread.join(10)
    assert outcome == ["The backend is ending."]
    assert [entry.name for entry in (place.folder / "run").iterdir()] == ["backend.lock"]
    assert "Traceback" not in place.log


def test_work_that_an_orderly_end_cut_off_is_done_by_the_next_backend(place: Place) -> None:
    with place.client() as client:
        client.work("preview", LARGE)
        pid = place.pid()
        report_progress = once_it_refines(lambda: place.command("stop"))
        answer = client.work(
            "render", LARGE, settings=SHORT | {"steps": 30}, report_progress=report_progress
        )
        assert answer.header["reply"] == "result"
        assert place.pid() != pid
    assert "terminate called" not in place.crashes


def test_a_connection_file_that_was_cleaned_away_comes_back(place: Place) -> None:
    with place.client() as client:
        pid = client.connect()["pid"]
    for spoil in (Connection.path().unlink, lambda: Connection.path().write_bytes(b"garbage")):
        spoil()
        assert f"(process {pid}" in place.command("status").stdout
        assert any(Connection.path().exists() for _ in until(5))
    Connection.path().unlink()
    assert place.command("stop").stdout == "The backend has ended.\n"
    assert any(not runs(pid) for _ in until(5))


def test_a_stale_file_whose_port_is_anothers_by_now_disturbs_nobody(place: Place) -> None:
    place.command("stop")
    with Client((*SERVE, *place.options, "--tcp"), place.variables) as client:
        client.connect()
    found = Connection.read()
    assert found is not None
    place.kill(signal.SIGKILL)
    with zmq.Context() as context, context.socket(zmq.ROUTER) as stranger:
        stranger.curve_server = True
        stranger.curve_publickey, stranger.curve_secretkey = zmq.curve_keypair()
        stranger.linger = 0
        assert any(_bound(stranger, found.tcp) for _ in until(10))
        dataclasses.replace(found, ipc="", pulse_ipc="").write()
        with place.client() as client:
            assert client.work("preview", SMALL).header["reply"] == "result"


def _bound(socket: zmq.Socket[bytes], address: str) -> bool:
    with contextlib.suppress(zmq.ZMQError):
        socket.bind(address)
        return True
    return False


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--device", "cuda"), "device cuda is not usable"),
        (("--weights", "/nowhere"), "no folder /nowhere"),
        (("--networks", "mask_rcnn"), "models download mask_rcnn"),
        (("--networks", "offical"), "Did you mean 'official'?"),
        (("--release-after", "abc"), "abc is no number above 0"),
    ],
)
def test_serving_with_what_cannot_be_is_told_at_once(
    options: tuple[str, str], sentence: str
) -> None:
    with a_place() as empty:
        result = empty.command("serve", *options)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("name", ["requests.ipc", "backend.lock"])
def test_folders_in_the_way_are_told(name: str) -> None:
    with a_place() as place:
        (place.folder / "run").mkdir(mode=0o700)
        (place.folder / "run" / name).mkdir()
        result = place.command("serve")
    assert result.returncode == 2
    assert result.stderr.startswith("nightflash: The backend cannot serve from ")
    assert "NIGHTFLASH_RUNTIME_DIR" in result.stderr


def runs(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be asked for its code does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_ends_when_nobody_asks_for_anything() -> None:
    options = ("--networks", "builtin", "--device", "cpu", "--exit-after", "0.0005")
    with a_place(*options) as short:
        with short.client() as client:
            client.ask("status")
        assert any(short.command("status").returncode == 3 for _ in until(20))
        assert "nobody asked for anything" in short.log


def test_a_backend_that_hangs_is_told_and_can_be_stopped() -> None:
    with a_place() as hung:
        with hung.client(silence=1.0) as client:
            client.ask("status")
            pid = hung.pid()
            hung.kill(signal.SIGSTOP)
            with pytest.raises(BackendLost, match="does not answer") as caught:
                client.work("render", LARGE, retry=False)
            assert "nightflash stop" in caught.value.remedy
        stopped = hung.command("stop")
        assert f"(process {pid})" in stopped.stdout
        assert any(not runs(pid) for _ in until(5))


@pytest.mark.parametrize("hangs", [False, True])
def test_restarting(hangs: bool) -> None:
    with a_place() as place, place.client() as client:
        first = client.connect()["pid"]
        client.work("preview", SMALL)
        if hangs:
            place.kill(signal.SIGSTOP)
        second = client.restart()["pid"]
        assert second not in (first, os.getpid())
        assert client.work("preview", SMALL).pictures
        assert place.pid() == second


def test_status_stop_and_logs_as_commands() -> None:
    with a_place() as own:
        assert own.command("status").returncode == 3
        assert own.command("status").stdout == "No backend runs.\n"
        assert own.command("status", "--json").stdout == "{}\n"
        assert "No backend has run yet" in own.command("logs").stdout
        with own.client() as client:
            client.work("preview", SMALL)
        status = own.command("status")
        assert status.returncode == 0
        assert status.stdout.startswith(
            f"The backend runs (process {own.pid()}, version {__version__})"
        )
        assert '"state": "ready"' in own.command("status", "--json").stdout
        assert "serving at ipc://" in own.command("logs").stdout
        assert own.command("stop").stdout == "The backend has ended.\n"
        assert "ending: a client asked for it" in own.command("logs").stdout


def test_the_client_needs_the_standard_library_and_pyzmq_alone() -> None:
    code = (
        "import sys\n"
        "class Nothing:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name.partition('.')[0] in {'numpy', 'torch', 'PIL', 'cv2', 'filelock'}:\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Nothing())\n"
        "from nightflash.client.client import Client\n"
        "from nightflash.client.protocol import Layout, Pixels\n"
        "photo = Pixels.cut(Layout(60, 40, 'u8', 3), bytes(range(240)) * 30)\n"
        "with Client(None) as client:\n"
        "    print(len(client.work('preview', photo).pictures[0].strips[0]))\n"
    )
    with a_place() as own:
        with own.client() as client:
            client.connect()
        result = subprocess.run(
            [sys.executable, "-c", code], env=own.variables, capture_output=True, text=True
        )
        assert (result.stdout, result.stderr) == ("7200\n", "")
