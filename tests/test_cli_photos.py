"""Photos as they come, through the command line."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nightflash.cli import main
from nightflash.engine.engine import Engine
from nightflash.photo import Photo, read_photo, write_photo
from nightflash.settings import Settings
from PIL import Image

from tests.command_line import FAST, environment, photo, pixels, refused, renders
from tests.photo import blocks, files

Capture = pytest.CaptureFixture[str]
DAYLIGHT = ("--set", "flash=off", "--set", "ambient=0", "--set", "grain=off", *FAST)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("builtin", device="cpu")


@pytest.mark.parametrize("quality", ["preview", "fast", "best"])
@pytest.mark.parametrize("channels", [1, 3])
def test_grey_stays_grey(engine: Engine, quality: str, channels: int) -> None:
    grey = pixels(channels=1)
    day = Photo.from_encoded(np.repeat(grey, channels, axis=-1))
    night = engine.render(day, Settings(quality=quality, steps=3)).photo
    np.testing.assert_array_equal(night.rgb[..., :1], night.rgb[..., 1:2])
    np.testing.assert_array_equal(night.rgb[..., :1], night.rgb[..., 2:])
    assert night.to_encoded().shape[2] == channels
    assert 0 < night.rgb.mean() < day.rgb.mean()
    assert np.ptp(night.rgb) > 0.01


@pytest.mark.parametrize(
    "asked", [{"ambient_temperature": 2800.0}, {"flash_temperature": 3000.0}, {"purkinje": 0.5}]
)
def test_grey_gets_the_colour_that_is_asked_for(engine: Engine, asked: dict[str, float]) -> None:
    day = Photo.from_encoded(pixels(channels=1))
    night = engine.render(day, Settings(quality="fast", ambient=-2.0, **asked)).photo
    assert np.abs(night.rgb[..., 0] - night.rgb[..., 2]).mean() > 1e-3


def test_colour_keeps_its_colours(engine: Engine) -> None:
    night = engine.render(Photo.from_encoded(pixels()), Settings(quality="fast")).photo
    assert np.abs(night.rgb[..., 0] - night.rgb[..., 2]).mean() > 1e-3


def test_foreign_files_are_named_and_skipped(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "notes.txt").write_text("Nothing but words.")
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(40))
    names = ("notes.txt", "film.mp4", "a.png", "b.png")
    for name in names[2:]:
        photo(tmp_path / name)
    out = tmp_path / "out"
    assert main(["render", *(str(tmp_path / name) for name in names), str(out), *FAST]) == 2
    printed = capsys.readouterr()
    assert sorted(p.name for p in out.iterdir()) == ["a-night.png", "b-night.png"]
    faults = [line for line in printed.err.splitlines() if line.startswith("nightflash: ")]
    assert len(faults) == 2
    for name, fault in zip(names, faults, strict=False):
        assert f"{name} is not a picture that NightFlash reads." in fault


def test_no_empty_folder_is_left(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "notes.txt").write_text("Nothing but words.")
    (tmp_path / "kept").mkdir()
    words = str(tmp_path / "notes.txt")
    for out in ("new/deep", "kept"):
        assert main(["render", words, words + "2", str(tmp_path / out), *FAST]) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept", "notes.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are files of Unix")
def test_a_pipe_is_not_replaced(tmp_path: Path, capsys: Capture) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    sentence = refused(capsys, photo(tmp_path / "day.png"), pipe, *FAST)
    assert "pipe.png is not an ordinary file." in sentence
    assert pipe.is_fifo()


def _day(path: Path) -> Path:
    file = io.BytesIO()
    Image.fromarray(pixels()).save(file, "JPEG", exif=b"Exif\0\0" + blocks.block(), quality=90)
    path.write_bytes(file.getvalue())
    return path


def test_metadata_can_be_stripped(tmp_path: Path) -> None:
    day, night = _day(tmp_path / "day.jpg"), tmp_path / "night.jpg"
    renders(day, night, *FAST)
    assert blocks.parsed(read_photo(night).source.exif).get_ifd(blocks.GPS)
    renders(day, night, *FAST, "--strip-gps")
    kept = blocks.parsed(read_photo(night).source.exif)
    assert not kept.get_ifd(blocks.GPS)
    assert kept[blocks.MODEL] == "Night Owl 3"
    renders(day, night, *FAST, "--strip-all")
    assert read_photo(night).source.exif is None
    assert read_photo(night).source.xmp is None


def test_the_quality_of_the_file(tmp_path: Path, capsys: Capture) -> None:
    day, night = _day(tmp_path / "day.jpg"), tmp_path / "night.jpg"
    sizes = []
    for quality in ("20", "95"):
        renders(day, night, *FAST, "--file-quality", quality)
        sizes.append(night.stat().st_size)
    assert sizes[0] < sizes[1] / 2
    for wrong in ("0", "101", "good", "-1"):
        assert "1 to 100" in refused(capsys, day, night, f"--file-quality={wrong}")


def test_what_is_lost_is_told_and_reported(tmp_path: Path, capsys: Capture) -> None:
    day = tmp_path / "day.png"
    jumbf = files.box(b"jumb", b"c2pa")
    data = photo(day).read_bytes()
    exif = files.chunk(b"eXIf", blocks.block(comment=b"x" * 70_000))
    day.write_bytes(data[:33] + files.chunk(b"caBX", jumbf) + exif + data[33:])
    renders(day, tmp_path / "night.jpg", *FAST, "--json")
    printed = capsys.readouterr()
    notes = json.loads(printed.out)["notes"]
    assert sum("C2PA" in note for note in notes) == 1
    assert sum("longer than JPEG holds" in note for note in notes) == 1
    assert "day.png: The photo's Content Credentials" in printed.err


def test_a_mask_all_but_black(tmp_path: Path, capsys: Capture) -> None:
    labels = np.zeros((64, 96), np.uint8)
    labels[20:40, 30:60] = 1
    Image.fromarray(labels).save(tmp_path / "labels.png")
    arguments = (photo(tmp_path / "day.png"), tmp_path / "night.png", *FAST)
    sentence = refused(capsys, *arguments, "--subject-mask", tmp_path / "labels.png")
    assert "The brightest value of the mask" in sentence
    assert "0.4% of white" in sentence


def test_a_rectangle_is_a_box_in_any_format(tmp_path: Path, capsys: Capture) -> None:
    mask = np.zeros((64, 96), np.uint8)
    mask[18:41, 27:60] = 255
    found = []
    for suffix in (".png", ".jpg", ".webp"):
        Image.fromarray(mask).save(tmp_path / f"mask{suffix}")
        aim = ("--subject-mask", tmp_path / f"mask{suffix}")
        renders(photo(tmp_path / "day.png"), tmp_path / "night.png", *FAST, *aim, "--json")
        found.append(json.loads(capsys.readouterr().out)["subject_from"])
    assert len(set(found)) == 1


@pytest.mark.parametrize("suffix", [".avif", ".jxl", ".tif", ".png"])
def test_nothing_changes_where_nothing_shall(tmp_path: Path, suffix: str) -> None:
    day, night = tmp_path / f"day{suffix}", tmp_path / f"night{suffix}"
    write_photo(day, Photo.from_encoded(pixels()), quality=100)
    renders(day, night, *DAYLIGHT, "--file-quality", "100")
    np.testing.assert_array_equal(read_photo(night).to_encoded(), read_photo(day).to_encoded())


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of Linux")
def test_too_little_memory_to_begin_with_is_one_sentence(tmp_path: Path) -> None:
    day = photo(tmp_path / "day.png")
    limited = f'ulimit -v 2500000; exec "{sys.executable}" -m nightflash render {day} n.png'
    result = subprocess.run(
        ["bash", "-c", limited], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "memory" in result.stderr.splitlines()[-1]
