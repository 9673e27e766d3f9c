"""``nightflash render --via-backend``: the same files as without it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from nightflash.cli import main
from PIL import Image

from tests.command_line import FAST, linear, photo, refused, renders
from tests.server.backend import Place, a_place, until
from tests.server.elsewhere import elsewhere

VIA = ("--via-backend", "--quality", "fast")


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with a_place() as place:
        with place.client() as client:
            client.connect()
        yield place


POINTS = ("--subject-point", "40,30", "--subject-point", "80,10", "--not-point", "10,50")


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("name", ["night.jpg", "night.png", "night.tif"])
def test_the_file_is_the_same(tmp_path: Path, name: str) -> None:
    day = photo(tmp_path / "day.png")
    mask = np.zeros((64, 96), np.uint8)
    mask[10:50, 20:60] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    here, there = tmp_path / f"here-{name}", tmp_path / f"there-{name}"
    for aim in (("--subject-mask", tmp_path / "mask.png"), POINTS, ()):
        renders(day, here, *FAST, *aim)
        renders(day, there, *VIA, *aim)
        assert here.read_bytes() == there.read_bytes()


@pytest.mark.usefixtures("place")
def test_grey_16_bits_and_alpha_survive(tmp_path: Path) -> None:
    grey = np.linspace(0, 65535, 96 * 64).astype(np.uint16).reshape(64, 96)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    rgba = np.full((64, 96, 4), (200, 90, 60, 120), np.uint8)
    Image.fromarray(rgba).save(tmp_path / "alpha.png")
    for name in ("grey", "alpha"):
        renders(tmp_path / f"{name}.png", tmp_path / f"{name}-here.png", *FAST)
        renders(tmp_path / f"{name}.png", tmp_path / f"{name}-there.png", *VIA)
        here, there = (tmp_path / f"{name}-{side}.png" for side in ("here", "there"))
        assert here.read_bytes() == there.read_bytes()


@pytest.mark.usefixtures("place")
def test_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = photo(tmp_path / "day.png")
    renders(day, tmp_path / "here.png", *FAST, "--json")
    here = json.loads(capsys.readouterr().out)
    renders(day, tmp_path / "there.png", *VIA, "--json")
    there = json.loads(capsys.readouterr().out)
    assert set(there) == set(here) - {"losses"}
    for name in ("networks", "subject_from", "working_size", "device"):
        assert there[name] == here[name]


def test_a_backend_on_another_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = photo(tmp_path / "day.png")
    renders(day, tmp_path / "here.png", *FAST)
    with elsewhere() as both, both.on_the_laptop():
        remote = both.added("studio")
        for number, way in enumerate((("--via-backend", "studio"), ("--via-backend=studio",))):
            out = tmp_path / f"there-{number}.png"
            renders(*way, day, out, "--quality", "fast")
            assert out.read_bytes() == (tmp_path / "here.png").read_bytes()
        fault = refused(capsys, day, out, "--via-backend=elsewhere")
        assert "There are: studio." in fault
        both.server.command("stop")
        assert main(["render", str(day), str(out), "--via-backend", remote.name]) == 2
        assert "nightflash serve --listen" in capsys.readouterr().err


def test_what_follows_the_option_may_be_a_photo(place: Place, tmp_path: Path) -> None:
    day = photo(tmp_path / "day.png")
    renders("--quality", "fast", "--via-backend", day, tmp_path / "night.png")
    renders(day, tmp_path / "again.png", "--quality", "fast", "--via-backend")
    assert (tmp_path / "night.png").read_bytes() == (tmp_path / "again.png").read_bytes()


def test_no_network_is_loaded_to_ask_a_backend(place: Place, tmp_path: Path) -> None:
    code = (
        "import sys; from nightflash.cli import main\n"
        f"assert main(['render', 'day.png', 'night.png', *{VIA}]) == 0\n"
        "print({'torch', 'torchvision', 'timm', 'cv2'} & set(sys.modules))"
    )
    photo(tmp_path / "day.png")
    asked = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env=place.variables,
        capture_output=True,
        text=True,
    )
    assert asked.stdout.splitlines()[-1] == "set()", asked.stderr


@pytest.mark.usefixtures("place")
def test_what_the_backend_decides_is_not_asked_for_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    day, out = photo(tmp_path / "day.png"), tmp_path / "out.png"
    for options in (("--networks", "lite"), ("--device", "cpu"), ("--weights", tmp_path)):
        fault = refused(capsys, day, out, *VIA, *options)
        assert f"nightflash serve {options[0]}" in fault
    assert "debug" in refused(capsys, day, out, *VIA, "--debug-dir", tmp_path / "debug")
    assert "outside the photo" in refused(capsys, day, out, *VIA, "--subject-point", "999,1")
    assert not out.exists()


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupt_stops_the_work_there_too(place: Place, tmp_path: Path) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
    Image.fromarray(rgb).save(tmp_path / "large.png")
    arguments = ["render", "large.png", "night.png", "--via-backend", "--set", "steps=1000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "nightflash", *arguments, "--set", "content=20"],
        cwd=tmp_path,
        env=place.variables,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with place.client(starts=False) as watcher:
        assert any(watcher.ask("status")["jobs"] == 1 for _ in until(30))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (130, b"")
        assert b"Traceback" not in err
        assert any(watcher.ask("status")["jobs"] == 0 for _ in until(5))
    assert [p.name for p in tmp_path.iterdir()] == ["large.png"]


def test_what_is_lit_is_lit(place: Place, tmp_path: Path) -> None:
    day = photo(tmp_path / "day.png")
    renders(day, tmp_path / "night.png", *VIA)
    assert linear(tmp_path / "night.png").mean() < 0.6 * linear(day).mean()
