"""``nightflash models``, with made-up networks and a server on this machine."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nightflash.cli import main
from nightflash.client.client import Client
from nightflash.client.link import BackendLost
from nightflash.commands import download as commands_download
from nightflash.models.descriptor import NetworkDescriptor, NetworkSet, Role
from nightflash.models.device import Capacity
from nightflash.models.download import fetching
from nightflash.models.recommendation import recommended
from nightflash.models.registry import NETWORKS, Registry
from nightflash.models.weights import WeightsFile, weights_folder

from tests.command_line import environment
from tests.models.download.downloading import sha256
from tests.models.download.hostile_server import (
    Hostile,
    black_hole,
    file,
    nobody,
    serving,
    status,
)

GPU = Capacity(gpu=True, memory=10**10)


def network(
    name: str, role: Role, network_set: NetworkSet, server: str, **facts: Any
) -> NetworkDescriptor[Any]:
    """One whose file holds its name, ten times."""
    content = (10 * name).encode()
    the_file = WeightsFile(f"{name}.pt", len(content), f"{server}/{name}.pt", sha256(content))
    made: NetworkDescriptor[Any] = NetworkDescriptor(
        name=name,
        role=role,
        network_set=network_set,
        title=f"The network {name}",
        licence=f"Licence of {name}",
        source="made up",
        load=lambda path, device: None,
        files=(the_file,),
    )
    return replace(made, **facts)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hostile]:
    monkeypatch.setenv("NIGHTFLASH_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.delenv("NIGHTFLASH_MIRROR", raising=False)
    with serving() as server:
        made = Registry(
            (
                network("huge", "depth", "official", server.url, for_gpu=True, preference=9),
                network("good", "depth", "official", server.url),
                network("masks", "detector", "official", server.url),
                network("tiny", "depth", "lite", server.url),
                network("boxes", "detector", "lite", server.url),
                network("layers", "features", "lite", server.url),
                network("fixed", "features", "builtin", server.url, files=()),
            )
        )
        monkeypatch.setattr(NETWORKS, "_by_name", dict(made))
        for name in made:
            server.pages[f"/{name}.pt"] = file((10 * name).encode())
        yield server


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    """Run ``nightflash models``; gives what was printed and what was told."""
    capsys.readouterr()
    assert main(["models", *arguments]) == code
    return capsys.readouterr()


def present() -> list[str]:
    """Names of the files in the weights folder."""
    return sorted(p.name for p in weights_folder().glob("[!.]*"))


def test_what_is_best_on_a_machine(server: Hostile) -> None:
    def names(network_set: Any, room: Capacity) -> list[str]:
        return [descriptor.name for descriptor in recommended(network_set, room)]

    assert names("auto", GPU) == ["huge", "masks", "layers"]
    assert names("auto", Capacity()) == ["good", "masks", "layers"]
    assert names("official", Capacity()) == ["good", "masks"]
    assert names("lite", GPU) == ["tiny", "boxes", "layers"]
    assert names("builtin", GPU) == ["fixed"]


def test_the_best_is_downloaded(server: Hostile, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = run(capsys, "download", "--device", "cpu")
    total, *lines = out.splitlines()
    assert total == f"3 networks to download, 0.0 MB in all, into {weights_folder()}."
    assert [line.partition(":")[0] for line in lines] == ["good", "masks", "layers"]
    assert f"{weights_folder() / 'good.pt'}. Licence: Licence of good." in lines[0]
    assert err == ""
    assert present() == ["good.pt", "layers.pt", "masks.pt"]
    count = len(server.requests)
    out, _ = run(capsys, "download", "--device", "cpu")
    assert out.splitlines() == [f"{n}: there already." for n in ("good", "masks", "layers")]
    assert len(server.requests) == count


@pytest.mark.parametrize(
    ("jobs", "said"), [(0, "The backend was ended"), (1, "A backend is at work")]
)
def test_an_idle_backend_is_ended_though_its_end_overtakes_the_reply(
    server: Hostile,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    jobs: int,
    said: str,
) -> None:
    ended = []

    def ask(client: Client, request: str) -> dict[str, int]:
        if request == "shutdown":
            raise BackendLost("The backend has gone.")
        return {"jobs": jobs}

    monkeypatch.setattr(Client, "ask", ask)
    monkeypatch.setattr("nightflash.client.holder.backend_runs", lambda: True)
    monkeypatch.setattr("nightflash.client.ending.end_backend", lambda: ended.append(True))
    out, _ = run(capsys, "download", "tiny")
    assert said in out.splitlines()[-1]
    assert ended == [True] * (jobs == 0)


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (["lite"], ["boxes.pt", "layers.pt", "tiny.pt"]),
        (["tiny"], ["tiny.pt"]),
        (["tiny", "good", "tiny"], ["good.pt", "tiny.pt"]),
        (["huge,lite"], ["boxes.pt", "huge.pt", "layers.pt", "tiny.pt"]),
        (["builtin"], []),
        (["fixed"], []),
    ],
)
def test_sets_and_names(
    server: Hostile, capsys: pytest.CaptureFixture[str], words: list[str], files: list[str]
) -> None:
    out, _ = run(capsys, "download", *words, "--device", "cpu")
    assert present() == files
    assert len(server.requests) == len(files)
    assert files or out == "fixed: needs no file.\n"


def test_unknown_words(server: Hostile, capsys: pytest.CaptureFixture[str]) -> None:
    for action in ("download", "verify"):
        _, err = run(capsys, action, "tini", code=2)
        assert "Did you mean 'tiny'?" in err


def test_one_that_fails_does_not_keep_the_others(
    server: Hostile, capsys: pytest.CaptureFixture[str]
) -> None:
    server.pages["/boxes.pt"] = status(404)
    out, err = run(capsys, "download", "lite", code=2)
    assert present() == ["layers.pt", "tiny.pt"]
    assert err.startswith("nightflash: boxes: 127.0.0.1:")
    assert len(err.splitlines()) == 1
    assert "boxes" not in out


def test_other_places(
    server: Hostile,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stick, folder = tmp_path / "stick", str(tmp_path / "other")
    stick.mkdir()
    for name in ("tiny", "good"):
        (stick / f"{name}.pt").write_bytes((10 * name).encode())
    run(capsys, "download", "tiny", "--from", str(stick), "--weights", folder)
    monkeypatch.setenv("NIGHTFLASH_MIRROR", str(stick))
    run(capsys, "download", "good", "--weights", folder)
    assert sorted(p.name for p in Path(folder).glob("*.pt")) == ["good.pt", "tiny.pt"]
    assert server.requests == []
    assert present() == []


def test_hindrances_are_told(server: Hostile, capsys: pytest.CaptureFixture[str]) -> None:
    weights_folder().mkdir()
    (weights_folder() / "tiny.pt").write_bytes(b"damaged")
    _, err = run(capsys, "download", "tiny")
    assert err.startswith("tiny: ")
    assert "damaged" in err
    assert present() == ["tiny.pt", "tiny.pt.old"]


def test_what_no_server_gives_is_left_out_in_one_line(
    server: Hostile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with black_hole() as silent:
        for name, host in (("good", silent), ("masks", nobody())):
            elsewhere = (replace(NETWORKS[name].files[0], url=f"http://{host}/{name}.pt"),)
            descriptor = replace(NETWORKS[name], files=elsewhere)
            monkeypatch.setitem(NETWORKS._by_name, name, descriptor)
        out, err = run(capsys, "download", "--device", "cpu", "--reach", "2", code=3)
    (line,) = err.splitlines()
    assert line.startswith(f"nightflash: {silent} and 127.0.0.1:")
    assert "could not be reached for good and masks: the built-in networks do that work" in line
    assert "--download auto` tries again" in line
    assert out.splitlines()[0].startswith("1 network to download")
    assert present() == ["layers.pt"]


def test_where_all_servers_answer_all_is_fetched(
    server: Hostile, capsys: pytest.CaptureFixture[str]
) -> None:
    server.pages["/masks.pt"] = status(404)
    out, err = run(capsys, "download", "--device", "cpu", "--reach", "30", code=2)
    assert out.startswith("3 networks to download")
    assert len(err.splitlines()) == 1
    assert "has no masks.pt" in err
    assert present() == ["good.pt", "layers.pt"]


def test_another_file_of_a_network_may_be_in_reach(
    server: Hostile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (file,) = NETWORKS["tiny"].files
    first = replace(file, name="first.pt", url=f"http://{nobody()}/first.pt")
    monkeypatch.setitem(NETWORKS._by_name, "tiny", replace(NETWORKS["tiny"], files=(first, file)))
    assert run(capsys, "download", "tiny", "--reach", "30")[1] == ""
    assert present() == ["tiny.pt"]


def test_a_damaged_file_whose_server_is_silent_makes_way(
    server: Hostile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (file,) = NETWORKS["tiny"].files
    first = replace(file, name="first.pt", url=f"http://{nobody()}/first.pt")
    monkeypatch.setitem(NETWORKS._by_name, "tiny", replace(NETWORKS["tiny"], files=(first, file)))
    weights_folder().mkdir(parents=True)
    (weights_folder() / "first.pt").write_bytes(b"damaged")
    run(capsys, "download", "tiny", "--reach", "30")
    assert present() == ["first.pt.old", "tiny.pt"]


def test_a_mirror_is_what_has_to_be_reached(
    server: Hostile,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = nobody()
    _, err = run(capsys, "download", "lite", "--from", f"http://{gone}/x", "--reach", "9", code=3)
    assert err.startswith(f"nightflash: {gone} could not be reached for tiny, boxes and layers:")
    assert server.requests == []
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick" / "tiny.pt").write_bytes(b"tiny" * 10)
    monkeypatch.setenv("NIGHTFLASH_MIRROR", str(tmp_path / "stick"))
    run(capsys, "download", "tiny", "--reach", "9")
    assert present() == ["tiny.pt"]
    assert server.requests == []


@pytest.mark.parametrize("seconds", ["0", "soon"])
def test_a_reach_is_a_time(capsys: pytest.CaptureFixture[str], seconds: str) -> None:
    assert "is no number above 0" in run(capsys, "download", "--reach", seconds, code=2)[1]


def test_without_a_terminal_a_line_now_and_then_shows_progress(
    server: Hostile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands_download, "SIGN_OF_LIFE", 0.0)
    _, err = run(capsys, "download", "tiny")
    assert err == "tiny: 0.0 of 0.0 MB\n"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar(server: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := _Terminal())
    weights_folder().mkdir()
    (weights_folder() / "tiny.pt").write_bytes(b"damaged")
    assert main(["models", "download", "tiny"]) == 0
    assert "tiny: " in terminal.getvalue()
    assert "100%" in terminal.getvalue()
    assert "40.0/40.0" in terminal.getvalue()
    assert "damaged" in terminal.getvalue()


@pytest.mark.parametrize(("part", "words"), [(True, "goes on from here"), (False, "nothing half-")])
def test_ctrl_c(
    server: Hostile,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    part: bool,
    words: str,
) -> None:
    def stopped(*arguments: object, **options: object) -> None:
        weights_folder().mkdir()
        if part:
            (weights_folder() / "tiny.pt.part").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(fetching, "fetch", stopped)
    _, err = run(capsys, "download", "tiny", code=130)
    assert words in err


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_ctrl_c_in_a_process_of_its_own(tmp_path: Path) -> None:
    part = tmp_path / "tcmonodepth_small_ckpt.pt.tar.part"
    with serving() as server:
        server.pages[f"/{part.stem}"] = file(bytes(914_272), pause=0.1)
        command = ["models", "download", "tcmonodepth_small", "--from", server.url]
        code = (
            "from nightflash.cli import main\n"
            f"raise SystemExit(main({[*command, '--weights', str(tmp_path)]}))"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until = time.monotonic() + 40
        while not (part.exists() and part.stat().st_size) and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert err == "nightflash: stopped; the next download goes on from here.\n"
    assert process.returncode == 130
    assert 0 < part.stat().st_size < 914_272


def some_present() -> None:
    """One whole, one of one's own, one damaged in its length, one in a byte."""
    folder = weights_folder()
    folder.mkdir()
    (folder / "tiny.pt").write_bytes(b"tiny" * 10)
    (folder / "good.pt").write_bytes(b"trained anew")
    (folder / "good.pt.sha256").write_text(sha256(b"trained anew"))
    (folder / "boxes.pt").write_bytes(b"boxes" * 9)
    (folder / "layers.pt").write_bytes(b"Layers" * 10)


def test_the_list(server: Hostile, capsys: pytest.CaptureFixture[str]) -> None:
    some_present()
    out, _ = run(capsys, "list", "--json", "--device", "cpu")
    rows = {row["name"]: row for row in json.loads(out)}
    assert {name: row["state"] for name, row in rows.items()} == {
        "huge": "absent",
        "good": "own",
        "masks": "absent",
        "tiny": "present",
        "boxes": "damaged",
        "layers": "present",
        "fixed": "built in",
    }
    assert [name for name, row in rows.items() if row["auto"]] == ["good", "boxes", "layers"]
    assert rows["tiny"]["bytes"] == 40
    assert rows["fixed"]["file"] is None
    out, _ = run(capsys, "list", "--device", "cpu")
    lines = out.splitlines()
    taken = [line.split()[1] for line in lines if line.startswith("*")]
    assert taken[:3] == ["good", "boxes", "layers"]
    assert all(f"Licence of {name}" in out for name in rows)
    assert sum(line.endswith("the best here") for line in lines) == 3
    assert str(weights_folder()) in lines[-2]
    assert "models download" in lines[-1]


def test_the_list_of_the_networks_known(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out, _ = run(capsys, "list", "--weights", str(tmp_path))
    for descriptor in NETWORKS.values():
        assert descriptor.licence in out
        assert descriptor.title in out
    out, _ = run(capsys, "list", "--weights", str(tmp_path), "--json")
    assert [row["source"] for row in json.loads(out)] == [d.source for d in NETWORKS.values()]


def test_the_list_marks_the_pair_that_gives_metres(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def taken() -> list[str]:
        out, _ = run(capsys, "list", "--json", "--weights", str(tmp_path), "--device", "cpu")
        return [r["name"] for r in json.loads(out) if r["auto"] and r["role"] == "depth"]

    relative, *pair = [d for d in NETWORKS.values() if d.name.startswith("depth_anything")]
    for network in (relative, pair[0]):
        (tmp_path / network.files[0].name).touch()
    assert taken() == [relative.name]
    (tmp_path / pair[1].files[0].name).touch()
    assert taken() == [d.name for d in pair]


def test_verifying(server: Hostile, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = run(capsys, "verify")
    assert out == f"There are no network files in {weights_folder()}.\n"
    some_present()
    out, _ = run(capsys, "verify", code=1)
    assert [line.split(":")[0].split() for line in out.splitlines()] == [
        ["own", "good"],
        ["ok", "tiny"],
        ["damaged", "boxes"],
        ["damaged", "layers"],
    ]
    assert out.count("nightflash models download layers") == 1
    assert run(capsys, "verify", "tiny", "official")[0].split()[0] == "ok"
    assert run(capsys, "verify", "huge", code=1)[0].startswith("absent")
    run(capsys, "verify", "lite", code=1)
    assert run(capsys, "verify", "fixed")[0].startswith("There are no network files")


def test_the_folder(server: Hostile, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "path")[0] == f"{weights_folder()}\n"
    assert run(capsys, "path", "--weights", "x")[0] == "x\n"


@pytest.mark.parametrize("command", [["models", "-h"], ["models", "download", "-h"], ["--help"]])
def test_help_imports_nothing_heavy(command: list[str]) -> None:
    code = (
        "import sys; from nightflash.cli import main\n"
        f"assert main({command}) == 0\n"
        "print({'numpy', 'torch', 'requests', 'tqdm'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment()
    )
    assert result.stdout.splitlines()[-1] == "set()", result.stderr
