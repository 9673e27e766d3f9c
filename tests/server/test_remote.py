"""Another machine's client: let in by an invitation, and by nothing else."""

from __future__ import annotations

import dataclasses
import json
import random
import socket as sockets
import stat
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import zmq
from nightflash.client.client import Client
from nightflash.client.invitation import Invitation
from nightflash.client.link import BackendLost
from nightflash.errors import Cancelled, NightFlashError

from tests.server.backend import Place, array, pixels, until
from tests.server.elsewhere import Elsewhere, elsewhere
from tests.server.test_lifecycle import runs

DAY = pixels(np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8))
LARGE = pixels(np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8))
QUICK = {"quality": "fast"}


@pytest.fixture(scope="module")
def both() -> Iterator[Elsewhere]:
    with elsewhere() as both:
        yield both


def logged(both: Elsewhere, words: str) -> bool:
    return any(words in both.server.log for _ in until(20))


def refusal(client: Client) -> NightFlashError:
    with pytest.raises(NightFlashError) as caught:
        client.connect()
    assert caught.value.remedy
    return caught.value


def uploads(both: Elsewhere) -> int:
    with both.server.client(starts=False) as watcher:
        return int(watcher.ask("status")["uploads"])


def test_who_was_invited_has_the_same_night_as_who_is_here(both: Elsewhere) -> None:
    with both.client("same") as client, both.server.client(starts=False) as local:
        there = client.work("render", DAY, settings=QUICK)
        here = local.work("render", DAY, settings=QUICK)
        assert client.transport == "tcp"
        np.testing.assert_array_equal(array(here.pictures[0]), array(there.pictures[0]))
    assert logged(both, "'same' came from 127.0.0.1")
    assert logged(both, "'same' went")


def test_without_pyzmq_by_a_child(both: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    remote = both.added("piped")
    relay = (sys.executable, "-m", "nightflash.client.relay")
    with Client(environment=both.laptop.variables, relay=relay, remote=remote) as client:
        assert client.work("preview", DAY).header["reply"] == "result"
        assert client.transport == "relay"


def test_an_invitation_lets_in_once(both: Elsewhere) -> None:
    code = both.invitation("--name", "twice")
    assert both.laptop.command("remote", "add", code, "--name", "first").returncode == 0
    again = both.laptop.command("remote", "add", code, "--name", "second")
    assert (again.returncode, again.stdout) == (2, "")
    assert len(again.stderr.splitlines()) == 1
    assert "invitation" in again.stderr
    assert logged(both, "the invitation of 'twice' was used already")
    names = both.laptop.command("remote", "list").stdout
    assert "first," in names
    assert "second" not in names


def test_a_code_is_read_and_a_line_tried(both: Elsewhere) -> None:
    """As programs have it done: no list of processes shows the code."""
    code = both.invitation("--name", "typed")
    added = both.laptop.command("remote", "add", "-", "--name", "typed", typed=f"{code}\n")
    assert added.returncode == 0, added.stderr
    found = json.loads(both.laptop.command("remote", "test", "typed", "--json").stdout)
    assert found["state"] == "ready"
    assert found["milliseconds"] >= 0
    assert found["megabits"] > 0


def test_an_invitation_ends(both: Elsewhere) -> None:
    code = both.invitation("--name", "late", "--minutes", "0.0001")
    late = both.laptop.command("remote", "add", code)
    assert late.returncode == 2
    assert logged(both, "the invitation of 'late' is too old")


def test_what_is_no_invitation_is_told(both: Elsewhere) -> None:
    code = both.invitation()
    for wrong in ("", "nightflash-", code[:-30], code[:30] + "+" + code[31:]):
        told = both.laptop.command("remote", "add", wrong)
        assert (told.returncode, told.stdout) == (2, ""), wrong
        assert len(told.stderr.splitlines()) == 1
        assert "Traceback" not in told.stderr


def test_an_invitation_lets_nobody_work(both: Elsewhere) -> None:
    invitation = Invitation.from_code(both.invitation("--name", "impatient"))
    own = zmq.curve_public(invitation.secret_key.encode()).decode()
    guest = dataclasses.replace(
        both.added("patient"), public_key=own, secret_key=invitation.secret_key
    )
    with Client(remote=guest) as client:
        for request in ("status", "shutdown", "drop"):
            with pytest.raises(NightFlashError) as caught:
                client.ask(request)
            assert caught.value.code == "not_allowed"


def test_a_client_does_not_rule_the_server(both: Elsewhere) -> None:
    with both.client("humble") as client:
        for request in ("shutdown", "release", "status", "enrol", "nonsense"):
            with pytest.raises(NightFlashError) as caught:
                client.ask(request)
            assert caught.value.code == "not_allowed"
        assert client.ask("hello")["state"] in ("ready", "released")


def test_who_is_turned_out_is_cut_off_and_comes_no_more(both: Elsewhere) -> None:
    with both.client("expelled") as client:
        client.work("preview", DAY)
        told = both.server.command("remote", "clients", "--remove", "expelled")
        assert told.returncode == 0, told.stderr
        assert logged(both, "'expelled' was turned out")
        with pytest.raises(NightFlashError) as caught:
            client.work("preview", DAY)
        assert caught.value.code == "not_let_in"
    assert logged(both, "nobody let its key in")
    assert "expelled" not in both.server.command("remote", "clients").stdout


def test_a_wrong_key_of_either_side_is_refused(both: Elsewhere) -> None:
    public, secret = (key.decode() for key in zmq.curve_keypair())
    remote = both.added("wronged")
    unknown = dataclasses.replace(remote, public_key=public, secret_key=secret)
    assert refusal(Client(remote=unknown)).code == "not_let_in"
    changed = dataclasses.replace(remote, server_key=public)
    fault = refusal(Client(remote=changed))
    assert fault.code == "other_server"
    assert "wronged" in fault.sentence
    assert logged(both, "without the right key")


def test_strangers_at_the_port_hear_nothing(both: Elsewhere) -> None:
    rng = random.Random(3)
    for length in (0, 1, 64, 1000, 100_000):
        with sockets.create_connection(("127.0.0.1", both.port), timeout=20) as stranger:
            try:
                stranger.sendall(rng.randbytes(length))
                stranger.shutdown(sockets.SHUT_WR)
                while stranger.recv(1000):
                    pass
            except OSError:
                continue  # thrown out already
    with zmq.Context() as context, context.socket(zmq.DEALER) as keyless:
        keyless.linger = 0
        keyless.connect(f"tcp://127.0.0.1:{both.port}")
        keyless.send(b'{"v": 2, "id": 1, "request": "hello"}')
        assert not keyless.poll(500)
    assert logged(both, "without the right key")
    with both.client("unharmed") as client:
        assert client.work("preview", DAY).header["reply"] == "result"
    assert "Traceback" not in both.server.log


def test_pictures_go_with_their_connection(both: Elsewhere) -> None:
    before = uploads(both)
    with both.client("tidy") as client:
        client.work("preview", DAY)
        assert uploads(both) == before + 1
    assert any(uploads(both) == before for _ in until(20))


def test_files_with_keys_are_the_users_own(both: Elsewhere) -> None:
    both.added("private")
    for place in (both.server, both.laptop):
        folder = place.folder / "state" / "remote"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for file in folder.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    (both.laptop.folder / "state" / "remote" / "remotes.json").chmod(0o644)
    told = both.laptop.command("remote", "list")
    assert (told.returncode, "is open to other users" in told.stderr) == (2, True)
    (both.laptop.folder / "state" / "remote" / "remotes.json").chmod(0o600)


def test_a_line_to_nowhere_is_told(both: Elsewhere) -> None:
    with sockets.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        remote = dataclasses.replace(both.added("away"), address=address)
        assert refusal(Client(remote=remote)).code == "not_reached"


def test_an_address_that_cannot_be_listened_at_is_told(both: Elsewhere) -> None:
    address = f"tcp://127.0.0.1:{both.port}"
    told = both.laptop.command("serve", "--networks", "builtin", "--listen", address)
    assert (told.returncode, len(told.stderr.splitlines())) == (2, 1)
    assert address in told.stderr
    told = both.server.command("serve", "--listen", address)
    assert (told.returncode, "runs already" in told.stderr) == (2, True)
    for wrong in ("5577", "tcp://here", "ipc:///tmp/x", "tcp://127.0.0.1:70000"):
        assert both.laptop.command("serve", "--listen", wrong).returncode == 2


def test_the_keys_stay_when_the_server_starts_again(both: Elsewhere) -> None:
    with elsewhere() as other:
        remote = other.added("faithful")
        with Client(remote=remote) as client:
            pid = client.ask("hello")["pid"]
            other.server.command("stop")
            assert any(not runs(pid) for _ in until(20))
            options = list(other.server.options)
            options[-1] = remote.address
            again = Place(other.server.folder, tuple(options))
            with again.client() as local:
                local.connect()
            assert client.ask("hello")["pid"] != pid, "the same key, and no other"
        other.server.command("stop")
        (other.server.folder / "state" / "remote" / "server.json").unlink()
        with again.client() as local:
            local.connect()
        with Client(remote=remote) as client:
            assert refusal(client).code == "other_server"


def test_by_ipv6() -> None:
    try:
        with sockets.socket(sockets.AF_INET6) as tried:
            tried.bind(("::1", 0))
    except OSError as fault:
        pytest.skip(f"this machine has no IPv6: {fault}")
    with elsewhere("--listen", "tcp://[::1]:0") as both, both.client("six") as client:
        assert client.work("preview", DAY).header["reply"] == "result"
        assert both.server.command("remote", "clients", "--remove", "six").returncode == 0
        assert logged(both, "'six' was turned out")


def test_limits_of_each_client() -> None:
    with elsewhere(
        *("--remote-memory", "1", "--remote-clients", "1", "--remote-jobs", "1")
    ) as both:
        with both.client("first") as first:
            small = [pixels(np.full((300, 400, 3), k, np.uint8)) for k in range(4)]
            for picture in small:  # 0.34 MB each, and what is worked out of them
                assert first.work("preview", picture).header["reply"] == "result"
            assert 1 <= uploads(both) <= 2, "the oldest make room"
            with pytest.raises(NightFlashError) as caught:
                first.work("render", pixels(np.zeros((1000, 1000, 3), np.uint8)))
            assert caught.value.code == "too_large"
            second = both.added("second")
            with Client(remote=second) as client:
                assert refusal(client).code == "busy"
        with Client(remote=second) as client:
            assert any(_comes(client) for _ in until(20)), "when the first has gone"


def test_one_client_has_so_many_requests_at_work() -> None:
    with elsewhere("--remote-jobs", "1") as both:
        remote, stop = both.added("eager"), threading.Event()
        long = {"steps": 1000, "content": 20.0}

        def work() -> None:
            with Client(remote=remote) as client, pytest.raises(Cancelled):
                client.work("render", LARGE, settings=long, cancel=stop)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            with both.server.client(starts=False) as watcher:
                assert any(watcher.ask("status")["jobs"] == 1 for _ in until(60))
            with Client(remote=remote) as client, pytest.raises(NightFlashError) as caught:
                client.work("preview", DAY)
            assert caught.value.code == "busy"
        finally:
            stop.set()
            thread.join(60)
        with Client(remote=remote) as client:
            assert client.work("preview", DAY).header["reply"] == "result"


def _comes(client: Client) -> bool:
    try:
        return bool(client.connect())
    except (BackendLost, NightFlashError):
        return False
