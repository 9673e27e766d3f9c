"""Every fault is one sentence and exit code 2, and leaves nothing half-written."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nightflash import cli
from nightflash.engine.engine import Engine
from nightflash.errors import NightFlashError
from nightflash.photo import Photo, write_photo
from PIL import Image

from tests.command_line import (
    FAST,
    environment,
    linear,
    photo,
    pixels,
    refused,
)

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the photo day.png in it."""
    photo(tmp_path / "day.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a fault is told only after the networks have been read."""

    def begun(*_: object, **__: object) -> None:
        pytest.fail("the work has begun")

    monkeypatch.setattr(Engine, "__init__", begun)


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("day.png", "Name a photo and where the result goes."),
        ("missing.png night.png", "missing.png does not exist."),
        (". night.png", ". is a folder, not a picture. 'nightflash batch FOLDER OUT'"),
        (". nights", ". is a folder, not a picture. 'nightflash batch FOLDER OUT'"),
        ("text.png night.png", "text.png is not a picture that NightFlash reads."),
        ("empty.png night.png", "empty.png is empty."),
        ("day.png night.xyz", "night.xyz has a suffix that NightFlash does not write."),
        ("day.png night", "night has a suffix that NightFlash does not write."),
        ("day.png none/night.png", "There is no folder none. Make it first."),
        ("day.png text.png/night.png", "text.png/night.png cannot be used: Not a directory."),
        ("day.png day.png text.png", "text.png is a file where a folder is needed."),
        ("day.png sub/day.png new.jpg", "new.jpg is named like a picture; several photos need a"),
        ("day.png day.png out", "More than one picture would be written to out/day-night.png."),
        ("day.png sub/day.png out", "More than one picture would be written to out/day-night.png."),
        ("alpha.png night.jpg", "night.jpg would lose the transparency of alpha.png"),
        ("day.png night.png --seed -1", "'seed' cannot be -1: it takes a whole number 0 to 2147"),
        ("day.png night.png --seed abc", "'seed' cannot be 'abc'"),
        ("day.png night.png --set nonsense=1", "There is no setting named 'nonsense'."),
        ("day.png night.png --set falof=1", "Did you mean 'falloff'?"),
        ("day.png night.png --set falloff", "--set takes KEY=VALUE, not 'falloff'."),
        ("day.png night.png --set =", "There is no setting named ''."),
        ("day.png night.png --set falloff=", "'falloff' cannot be '': it takes 0 to 2."),
        ("day.png night.png --set falloff=3", "'falloff' cannot be 3.0: it takes 0 to 2."),
        (
            "day.png night.png --set grain=inf",
            "'grain' cannot be inf: it takes 50 to 12800 ISO, or off.",
        ),
        ("day.png night.png --set ambient=nan", "it takes -20 to 2 EV, or off."),
        ("day.png night.png --subject-box 200,0,9,9", "The box 200,0,9,9 lies outside the photo"),
        ("day.png night.png --subject-box -9,0,9,9", "The box -9,0,9,9 lies outside the photo"),
        ("day.png night.png --subject-box 1,1,0,5", "The box 1,1,0,5 has no area."),
        ("day.png night.png --subject-box 9,9,-5,5", "The box 9,9,-5,5 has no area."),
        ("day.png night.png --subject-box nan,1,5,5", "The box nan,1,5,5 has no area."),
        ("day.png night.png --subject-box 1,1,inf,5", "The box 1,1,inf,5 has no area."),
        ("day.png night.png --subject-box 1,2,3", "takes X,Y,W,H in pixels, not '1,2,3'."),
        ("day.png night.png --subject-box a,b,c,d", "takes X,Y,W,H in pixels, not 'a,b,c,d'."),
        ("day.png night.png --subject-point 96,5", "The point 96,5 lies outside the photo"),
        ("day.png night.png --subject-point -1,5", "The point -1,5 lies outside the photo"),
        ("day.png night.png --subject-point nan,5", "The point nan,5 lies outside the photo"),
        ("day.png night.png --subject-point 5", "takes X,Y in pixels, not '5'."),
        ("day.png night.png --subject-point --json", "takes X,Y in pixels, not '--json'."),
        ("day.png night.png --subject-mask none.png", "none.png does not exist."),
        ("day.png night.png --subject-mask text.png", "text.png is not a picture"),
        ("day.png night.png --subject-mask black.png", "The mask is empty."),
        (
            "day.png night.png --subject-mask small.png",
            "The mask is 9 x 9 pixels and the photo 96 x 64.",
        ),
        ("day.png night.png --weights none", "There is no folder none of network files."),
        ("day.png night.png --weights day.png", "There is no folder day.png of network files."),
        ("day.png night.png --debug-dir day.png", "day.png is a file where a folder is needed."),
        ("day.png night.png --debug-dir day.png/x", "The folder day.png/x cannot be made"),
    ],
)
def test_faults_told_before_the_work(
    here: Path, capsys: Capture, arguments: str, sentence: str
) -> None:
    (here / "text.png").write_text("This is no picture.")
    (here / "empty.png").touch()
    (here / "sub").mkdir()
    photo(here / "sub" / "day.png")
    photo(here / "small.png", 9, 9)
    Image.new("L", (96, 64)).save(here / "black.png")
    Image.fromarray(pixels(channels=4)).save(here / "alpha.png")
    before = {p.name for p in here.iterdir()}
    assert sentence in refused(capsys, *arguments.split())
    assert {p.name for p in here.iterdir()} - before <= {"out"}
    assert not any((here / "out").glob("*"))


@pytest.mark.usefixtures("no_work")
def test_damaged_photos(here: Path, capsys: Capture, shared: Path) -> None:
    cut = shared / "photos/edge-cases/african_elephants_truncated_file.jpg"
    assert "damaged or cut short" in refused(capsys, cut, "night.png")
    for value in (np.nan, np.inf):
        floats = np.full((20, 30, 3), 0.5, np.float32)
        floats[3, 4] = value
        tifffile.imwrite(here / "float.tif", floats, photometric="rgb")
        assert "NaN or infinity" in refused(capsys, "float.tif", "night.png")
    write_photo(here / "whole.tif", Photo.from_encoded(pixels().astype(np.uint16) * 200))
    (here / "cut.tif").write_bytes((here / "whole.tif").read_bytes()[:3000])
    assert "damaged or cut short" in refused(capsys, "cut.tif", "night.png")
    assert not (here / "night.png").exists()


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("way", ["same", "dotted", "absolute", "symlink", "hard link", "folder"])
def test_an_original_is_never_overwritten(here: Path, capsys: Capture, way: str) -> None:
    (here / "symlink.png").symlink_to("day.png")
    os.link(here / "day.png", here / "hard.png")
    (here / "folder").mkdir()
    (here / "folder" / "day-night.png").symlink_to("../day.png")
    out = {
        "same": "day.png",
        "dotted": "folder/../day.png",
        "absolute": str(here / "day.png"),
        "symlink": "symlink.png",
        "hard link": "hard.png",
        "folder": "folder",
    }[way]
    before = (here / "day.png").read_bytes()
    assert "is one of the pictures given" in refused(capsys, "day.png", out)
    assert (here / "day.png").read_bytes() == before


@pytest.mark.usefixtures("no_work")
def test_masks_other_photos_and_results_are_not_overwritten(here: Path, capsys: Capture) -> None:
    Image.new("L", (96, 64), 255).save(here / "mask.png")
    photo(here / "day-night.png")
    photo(here / "day-depth.png")
    for arguments in (
        "day.png mask.png --subject-mask mask.png",
        "day.png mask.png --subject-mask ./mask.png",
        "day.png day-night.png .",
        "day-depth.png day.png out --debug-dir .",
    ):
        assert "is one of the pictures given" in refused(capsys, *arguments.split())
    sentence = refused(capsys, "day.png", "day-mask.png", "--debug-dir", ".")
    assert "More than one picture would be written to day-mask.png." in sentence


@pytest.mark.usefixtures("no_work")
@pytest.mark.skipif(sys.platform == "win32", reason="files of Unix")
def test_places_that_take_no_files(here: Path, capsys: Capture) -> None:
    (here / "loop.png").symlink_to("loop.png")
    assert "loop.png cannot be used" in refused(capsys, "day.png", "loop.png")
    assert "loop.png cannot be read: Too many" in refused(capsys, "loop.png", "night.png")
    assert "File name too long" in refused(capsys, "day.png", "n" * 300 + ".png")
    if Path("/proc").is_dir():
        assert "Nothing can be written in the folder /proc" in refused(
            capsys, "day.png", "/proc/night.png"
        )
    if os.geteuid() != 0:
        (here / "locked").mkdir(mode=0o500)
        assert "Permission denied" in refused(capsys, "day.png", "locked/night.png")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--networks", "official", "--weights", "weights"), "official network for depth needs"),
        (("--networks", "offical"), "Did you mean 'official'?"),
        (("--networks", "midas_v21_384", "--weights", "weights"), "models download midas_v21_384"),
        (("--networks", "lite", "--weights", "weights"), "needs the file tcmonodepth_small"),
        (("--weights", "corrupt"), "tcmonodepth_small_ckpt.pt.tar is damaged"),
    ],
)
def test_networks_that_are_not_there(
    here: Path, capsys: Capture, arguments: tuple[str, ...], sentence: str
) -> None:
    (here / "weights").mkdir()
    (here / "corrupt").mkdir()
    (here / "corrupt" / "tcmonodepth_small_ckpt.pt.tar").write_bytes(b"no network")
    assert sentence in refused(capsys, "day.png", "night.png", *arguments)
    photo(here / "other.png")
    assert sentence in refused(capsys, "day.png", "other.png", "out", *arguments)
    assert not (here / "night.png").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there(here: Path, capsys: Capture) -> None:
    sentence = refused(capsys, "day.png", "night.png", "--device", "cuda")
    assert "The device cuda is not usable on this machine." in sentence


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["rendre"],
        ["render"],
        ["render", "day.png", "n.png", "--nonsense"],
        ["render", "day.png", "n.png", "--qual", "fast"],
        ["render", "day.png", "n.png", "--quality", "great"],
        ["render", "day.png", "n.png", "--seed"],
        ["render", "day.png", "n.png", "--subject-box"],
        ["render", "day.png", "n.png", "--subject-box=1,1,9,9", "--subject-point=1,1"],
        ["settings", "falloff"],
    ],
)
def test_usage(here: Path, capsys: Capture, arguments: list[str]) -> None:
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: nightflash")
    assert "error: " in err.splitlines()[-1]


def test_good_photos_are_rendered_beside_bad_ones(here: Path, capsys: Capture) -> None:
    (here / "bad.png").write_text("This is no picture.")
    Image.fromarray(pixels(channels=4)).save(here / "clear.png")
    (here / "clear.png").rename(here / "clear.jpg")
    photo(here / "good.png")
    photos = ("bad.png", "day.png", "clear.jpg", "gone.png", "good.png")
    assert cli.main(["render", *photos, "out", *FAST]) == 2
    out, err = capsys.readouterr()
    assert out.split() == ["out/day-night.png", "out/good-night.png"]
    faults = [line for line in err.splitlines() if line.startswith("nightflash: ")]
    assert len(faults) == 3
    for name, fault in zip(("bad.png", "clear.jpg", "gone.png"), faults, strict=True):
        assert name in fault
    assert sorted(p.name for p in (here / "out").iterdir()) == ["day-night.png", "good-night.png"]


def test_a_disk_that_is_full_at_the_end(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "night.png").write_bytes(b"an older result")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert cli.main(["render", "day.png", "night.png", *FAST]) == 2
    assert "night.png cannot be written: No space left on device." in capsys.readouterr().err
    assert (here / "night.png").read_bytes() == b"an older result"
    assert sorted(p.name for p in here.iterdir()) == ["day.png", "night.png"]


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_an_interrupt_leaves_nothing_half_written(here: Path) -> None:
    photo(here / "large.png", 700, 500)
    command = ["render", "large.png", "night.png", "--networks", "builtin", "--set", "steps=1000"]
    watched = (
        "import sys; from nightflash import cli, engine; cli.sys.stderr.isatty = lambda: True\n"
        f"raise SystemExit(cli.main({command}))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", watched],
        cwd=here,
        env=environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stderr is not None
    seen = b""
    while b"refine" not in seen and process.poll() is None:
        seen += os.read(process.stderr.fileno(), 1000)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == b""
    assert (
        err.decode()
        .splitlines()[-1]
        .strip()
        .endswith("nightflash: stopped; nothing half-written is left.")
    )
    assert b"Traceback" not in err
    assert sorted(p.name for p in here.iterdir()) == ["day.png", "large.png"]


def test_an_interrupt_while_writing(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    assert cli.main(["render", "day.png", "night.png", *FAST]) == 130
    assert capsys.readouterr().err.endswith("stopped; nothing half-written is left.\n")
    assert [p.name for p in here.iterdir()] == ["day.png"]


RENDER = f"render day.png out/ {' '.join(FAST)}"


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs a shell")
@pytest.mark.parametrize(
    ("ending", "code"),
    [(">&-", 0), (">&- 2>&-", 0), ("| true", 0), ("2>&1 | true", 0), ("> /dev/full", 2)],
)
def test_output_that_nobody_takes(here: Path, ending: str, code: int) -> None:
    if "full" in ending and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    commands = ["settings", RENDER] if "|" in ending or code else ["settings"]
    for arguments in commands:
        line = f'"{sys.executable}" -m nightflash {arguments} {ending}'
        result = subprocess.run(
            ["bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}"],
            cwd=here,
            env=environment(),
            capture_output=True,
            text=True,
        )
        assert result.returncode == code, result.stderr
        if code:
            assert result.stderr.splitlines()[-1].startswith("nightflash: Nothing can be printed")
        assert "Exception" not in result.stderr
        assert "Traceback" not in result.stderr
    if RENDER in commands:
        assert linear(here / "out" / "day-night.png").shape == (64, 96, 3)
        assert [p.name for p in (here / "out").iterdir()] == ["day-night.png"]


WORDS = st.sampled_from(
    ["render", "settings", "day.png", "out.xyz", "--seed", "--set", "falloff=9", "--json", "--",
     "--subject-box", "--subject-point", "--debug-dir", "--quality", "fast", "-1", "", "=", "nan",
     "--method", "--device", "--weights", "--networks", "builtin", "-h", "/", "\udcff"]
)  # fmt: skip


@pytest.fixture
def refusing_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer at once where words happen to make a command that can be carried out."""

    def refuse(*_: object, **__: object) -> None:
        raise NightFlashError("No work today.")

    monkeypatch.setattr(Engine, "__init__", refuse)


@pytest.mark.usefixtures("refusing_engine")
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(WORDS, max_size=6))
def test_any_arguments_are_answered(
    here: Path, capsysbinary: pytest.CaptureFixture[bytes], words: list[str]
) -> None:
    code = cli.main([*words, "out.xyz"] if "render" in words else words)
    out, err = capsysbinary.readouterr()
    assert code in (0, 2)
    assert (code == 0) == bool(out)
    assert (code == 2) == bool(err)
