"""What the command line does when all is well."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from nightflash import __version__
from nightflash.cli import main
from nightflash.commands.results import night_name, plan
from nightflash.photo import Encoding, Photo, read_photo, write_photo
from PIL import Image

from tests.command_line import (
    FAST,
    environment,
    in_process_of_its_own,
    linear,
    photo,
    pixels,
    renders,
)


@pytest.mark.parametrize("command", [["--help"], ["--version"], ["render", "-h"], ["settings"]])
def test_what_needs_no_photo_imports_nothing_heavy(command: list[str]) -> None:
    code = (
        "import sys; from nightflash.cli import main\n"
        f"assert main({command}) == 0\n"
        "print({'numpy', 'torch', 'cv2', 'PIL', 'tqdm'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment()
    )
    assert result.stdout.splitlines()[-1] == "set()", result.stderr


def test_threads_that_wait_give_way_to_other_programs() -> None:
    """Before torch is loaded, which reads how its threads wait once; the user's own word counts."""
    code = (
        "import os; from nightflash.cli import main\n"
        "main(['--version']); print(os.environ['OMP_WAIT_POLICY'])"
    )
    for given, wanted in ({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE"):
        own = {name: value for name, value in environment().items() if name != "OMP_WAIT_POLICY"}
        result = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=own | given
        )
        assert result.stdout.split()[-1] == wanted, result.stderr


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"nightflash {__version__}\n"


def test_a_photo_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day, night = photo(tmp_path / "day.png"), tmp_path / "night.tif"
    renders(day, night, *FAST, "--subject-box", "30,15,40,45")
    assert capsys.readouterr().out == f"{night}\n"
    assert linear(night).shape == linear(day).shape
    assert linear(night).mean() < 0.6 * linear(day).mean()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["day.png", "night.tif"]


def test_photos_to_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = [photo(tmp_path / name) for name in ("a.png", "b.bmp", "c.GIF", "d.jpg")]
    renders(*photos, tmp_path / "new" / "nights", *FAST)
    expected = ["a-night.png", "b-night.png", "c-night.png", "d-night.jpg"]
    assert sorted(p.name for p in (tmp_path / "new" / "nights").iterdir()) == expected
    printed = capsys.readouterr().out.splitlines()
    assert printed == [str(tmp_path / "new" / "nights" / name) for name in expected]


@pytest.mark.parametrize("ending", ["", "/"])
def test_one_photo_to_a_folder(tmp_path: Path, ending: str) -> None:
    day = photo(tmp_path / "day.png")
    if not ending:
        (tmp_path / "out.d").mkdir()
    renders(day, f"{tmp_path}/out.d{ending}", *FAST)
    assert (tmp_path / "out.d" / "day-night.png").is_file()


@pytest.mark.parametrize(
    ("name", "night"),
    [
        ("a.JPG", "a-night.JPG"),
        ("a.b.tiff", "a.b-night.tiff"),
        ("phone.HEIC", "phone-night.jpg"),
        ("x.gif", "x-night.png"),
        ("x.jfif", "x-night.jpg"),
        ("bare", "bare-night.jpg"),
    ],
)
def test_names_of_nights(name: str, night: str) -> None:
    assert night_name(Path("some") / name) == night


def test_heic_photos(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.from_pillow(Image.fromarray(pixels())).save(tmp_path / "phone.heic")
    renders(tmp_path / "phone.heic", f"{tmp_path}/out/", *FAST)
    assert linear(tmp_path / "out" / "phone-night.jpg").shape == (64, 96, 3)


def test_options_stand_anywhere(tmp_path: Path) -> None:
    first, second = photo(tmp_path / "a.png"), photo(tmp_path / "b.png")
    renders(*FAST, first, "--seed", "1", second, "--set", "grain=off", tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_the_old_name_of_a_setting_is_read_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    day, old, new = (tmp_path / name for name in ("day.png", "old.png", "new.png"))
    photo(day)
    renders(day, old, *FAST, "--set", "emphasis=0.25")
    assert "'emphasis' has become 'night', here 0.5" in capsys.readouterr().err
    renders(day, new, *FAST, "--set", "night=0.5")
    assert capsys.readouterr().err == ""
    assert old.read_bytes() == new.read_bytes()


def test_a_preset_is_where_the_other_options_begin(tmp_path: Path) -> None:
    day, (first, second) = photo(tmp_path / "day.png"), (tmp_path / "1.png", tmp_path / "2.png")
    renders(day, first, *FAST, "--set", "falloff=0.5", "--preset", "Pitch black")
    words = ("ambient=off", "beam=0.7", "falloff=0.5")
    renders(day, second, *FAST, *(x for word in words for x in ("--set", word)))
    assert first.read_bytes() == second.read_bytes()


def test_options_are_settings(tmp_path: Path) -> None:
    day, (first, second) = photo(tmp_path / "day.png"), (tmp_path / "1.png", tmp_path / "2.png")
    spelt = ("--method", "published", "--quality", "fast", "--seed", "3")
    renders(day, first, *spelt, "--networks", "builtin")
    words = [x for pair in ("method=published", "quality=fast", "seed=3") for x in ("--set", pair)]
    renders(day, second, *words, "--networks", "builtin")
    assert first.read_bytes() == second.read_bytes()


def test_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str], shared: Path) -> None:
    day, night = photo(tmp_path / "day.png", 320, 240), tmp_path / "night.png"
    arguments = ("--networks", "lite", "--weights", shared / "weights", "--set", "steps=4")
    renders(day, night, "--json", *arguments, "--subject-box=90,50,150,180")
    report = json.loads(capsys.readouterr().out)
    assert (report["photo"], report["out"]) == (str(day), str(night))
    assert set(report["seconds"]) == {"scene", "light", "refine", "full size"}
    assert report["networks"]["depth"] == "tcmonodepth_small"
    assert report["working_size"] == [320, 240]
    assert report["subject_from"] == "the box given"
    x, y, w, h = report["subject_box"]
    assert 80 <= x < x + w <= 250
    assert 40 <= y < y + h <= 240
    assert report["losses"]
    assert all(loss >= 0 for loss in report["losses"])


def test_the_report_of_several(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = [photo(tmp_path / "a.png"), photo(tmp_path / "b.png")]
    renders(*photos, tmp_path / "out", "--json", *FAST)
    reports = json.loads(capsys.readouterr().out)["photos"]
    assert [report["photo"] for report in reports] == [str(p) for p in photos]


def test_debug_pictures(tmp_path: Path) -> None:
    day, debug = photo(tmp_path / "day.png"), tmp_path / "debug"
    arguments = ("--debug-dir", debug, "--subject-box", "30,15,40,45", "--networks", "builtin")
    renders(day, tmp_path / "night.png", *arguments, "--set", "steps=4")
    names = [f"day-{name}.png" for name in ("depth", "mask", "refined", "target")]
    assert sorted(p.name for p in debug.iterdir()) == names
    assert all(linear(file).shape == (64, 96, 3) for file in debug.iterdir())
    mask = linear(debug / "day-mask.png")
    assert mask[35:45, 44:52].mean() > 0.8 > 0.2 > mask[:10].mean()


def test_debug_pictures_of_photos_of_one_stem(tmp_path: Path) -> None:
    first, second = photo(tmp_path / "a.png"), photo(tmp_path / "a.jpg")
    renders(first, second, tmp_path / "out", "--debug-dir", tmp_path / "debug", *FAST)
    names = {p.name for p in (tmp_path / "debug").iterdir()}
    assert {"a.png-depth.png", "a.jpg-depth.png"} <= names
    assert len(names) == 6


def test_ways_to_aim(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day, mask = photo(tmp_path / "day.png"), tmp_path / "mask.png"
    drawn = np.zeros((64, 96), np.uint8)
    drawn[20:40, 50:90] = np.linspace(100, 255, 40)
    Image.fromarray(drawn).save(mask)
    boxes = {}
    for aim, found in (
        (("--subject-mask", str(mask)), "the mask drawn"),
        (("--subject-box", "-5,-5,40,40"), "the box given"),
        (("--subject-point", "48,38"), "the region under the point"),
    ):
        renders(day, tmp_path / "night.png", "--json", *FAST, "--networks", "rules", *aim)
        report = json.loads(capsys.readouterr().out)
        assert report["subject_from"] == found
        boxes[found] = report["subject_box"]
    x, y, w, h = boxes["the mask drawn"]
    assert 50 <= x < x + w <= 90
    assert (y, h) == (20, 20)
    x, y, w, h = boxes["the region under the point"]
    assert x <= 48 < x + w


def test_several_points(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two objects are aimed at, then one of them is left out again."""
    day = np.full((96, 160, 3), (60, 120, 60), np.uint8)
    for left in (20, 110):
        day[30:70, left : left + 30] = 200, 80, 60
    Image.fromarray(day).save(tmp_path / "day.png")
    both = ("--subject-point", "35,50", "--subject-point", "125,50")
    for aim, ends in ((both, (20, 140)), ((*both, "--not-point", "35,50"), (110, 140))):
        options = ("--json", *FAST, "--networks", "rules", *aim)
        renders(tmp_path / "day.png", tmp_path / "night.png", *options)
        x, _y, w, _h = json.loads(capsys.readouterr().out)["subject_box"]
        assert (x, x + w) == pytest.approx(ends, abs=4)


@pytest.mark.parametrize("quality", ["preview", "fast", "best"])
@pytest.mark.parametrize("bits", [8, 16])
def test_without_night_and_flash_the_same_picture(tmp_path: Path, quality: str, bits: int) -> None:
    codes = pixels().astype(f"uint{bits}") * (257 if bits == 16 else 1)
    write_photo(tmp_path / "day.tif", Photo.from_encoded(codes))
    options = ("--set", "ambient=0", "--set", "flash=off", "--quality", quality)
    renders(tmp_path / "day.tif", tmp_path / "night.tif", *options, "--networks", "builtin")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "night.tif"), codes)


ENCODINGS: dict[str, npt.NDArray[Any]] = {
    "grey.png": pixels(channels=1)[..., 0],
    "grey and alpha.png": pixels(channels=4)[..., 2:],
    "alpha.png": pixels(channels=4),
    "alpha.tif": pixels(channels=4),
    "alpha.webp": pixels(channels=4),
    "deep.png": pixels().astype(np.uint16) * 257,
    "deep alpha.tif": pixels(channels=4).astype(np.uint16) * 257,
    "deep grey.tif": pixels(channels=1)[..., 0].astype(np.uint16) * 257,
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_alpha_and_depth_are_kept(tmp_path: Path, name: str) -> None:
    day, night = tmp_path / name, tmp_path / f"night{Path(name).suffix}"
    write_photo(day, Photo.from_encoded(ENCODINGS[name]), quality=100)
    renders(day, night, *FAST)
    before, after = read_photo(day), read_photo(night)
    assert after.source.bits == before.source.bits
    assert after.rgb.mean() < before.rgb.mean()
    assert (after.alpha is None) == (before.alpha is None)
    if before.alpha is not None and after.alpha is not None:
        np.testing.assert_array_equal(after.alpha, before.alpha)


def test_floats_palettes_and_cmyk(tmp_path: Path) -> None:
    picture = Image.fromarray(pixels())
    picture.quantize(16).save(tmp_path / "palette.png")
    picture.convert("CMYK").save(tmp_path / "inks.jpg", quality=95)
    floats = Photo.from_linear(pixels().astype(np.float32) / 64, source=Encoding(32))
    write_photo(tmp_path / "float.tif", floats)
    names = ("palette.png", "inks.jpg", "float.tif")
    renders(*(tmp_path / name for name in names), tmp_path / "out", *FAST)
    nights = [read_photo(tmp_path / "out" / night_name(Path(name))) for name in names]
    assert [night.source.bits for night in nights] == [8, 8, 32]
    for name, night in zip(names, nights, strict=True):
        assert 0 < night.rgb.mean() < linear(tmp_path / name).mean()


def test_opaque_pictures_with_alpha_become_jpeg(tmp_path: Path) -> None:
    opaque = pixels(channels=4)
    opaque[..., 3] = 255
    Image.fromarray(opaque).save(tmp_path / "opaque.png")
    renders(tmp_path / "opaque.png", tmp_path / "night.jpg", *FAST)


@pytest.mark.parametrize("size", [(1, 1), (30000, 20)])
def test_photos_of_odd_shapes(tmp_path: Path, size: tuple[int, int]) -> None:
    day, night = photo(tmp_path / "odd.png", *size), tmp_path / "night.png"
    renders(day, night, *FAST)
    assert linear(night).shape == (size[1], size[0], 3)


def test_black_photos_and_full_masks(tmp_path: Path) -> None:
    Image.new("RGB", (96, 64)).save(tmp_path / "black.png")
    Image.new("L", (96, 64), 255).save(tmp_path / "full.png")
    renders(tmp_path / "black.png", tmp_path / "night.png", *FAST, "--set", "grain=off")
    assert linear(tmp_path / "night.png").max() == 0
    mask = ("--subject-mask", tmp_path / "full.png")
    renders(photo(tmp_path / "a.png"), tmp_path / "n.png", *FAST, *mask)


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    day = photo(tmp_path / "day.png", 160, 130)
    files = [tmp_path / f"{n}.png" for n in range(3)]
    options = ("--quality", "best", "--networks", "builtin", "--device", "cpu", "--set", "steps=6")
    result = in_process_of_its_own("render", day, files[0], *options, "--seed=7", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    renders(day, files[1], *options, "--seed=7")
    renders(day, files[2], *options, "--seed=8")
    assert files[0].read_bytes() == files[1].read_bytes()
    difference = np.abs(linear(files[1]) - linear(files[2]))
    assert 0 < difference.max() < 0.2


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
def test_any_names_in_a_plain_locale(tmp_path: Path) -> None:
    here = tmp_path / "Bücher und Öl"
    here.mkdir()
    names = ("Täubchen.png", os.fsdecode(b"\xff\xe4.png"))
    for name in names:
        photo(here / name)
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
    result = in_process_of_its_own(
        "render", *names, "Nächte/", *FAST, cwd=here, variables=plain, errors="surrogateescape"
    )
    assert result.returncode == 0, result.stderr
    nights = [f"Nächte/{Path(name).stem}-night.png" for name in names]
    assert result.stdout.splitlines() == nights
    assert all((here / night).is_file() for night in nights)


def test_names_that_are_no_text_in_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    name = os.fsdecode(b"\xff\xe4.png")
    renders(photo(tmp_path / name), f"{tmp_path}/out/", "--json", *FAST)
    path = json.loads(capsys.readouterr().out)["photo"]
    assert path == f"{tmp_path}/\\xff\\xe4.png"
    path.encode()  # no lone surrogates, which other readers of JSON refuse


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := _Terminal())
    day = photo(tmp_path / "day.png")
    renders(day, tmp_path / "n.png", "--networks", "rules", "--set", "steps=4")
    shown = terminal.getvalue()
    for stage in ("scene", "light", "refine", "full size"):
        assert f"day.png, {stage}" in shown
    assert "100%" in shown
    assert shown.replace("\r", "").split("\n")[0].rstrip().endswith("yourself.")


def test_a_folder_is_told_by_its_slash_or_by_several_photos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert [job.out for job in plan(["a.png", "b.png"])] == [Path("b.png")]
    assert [job.out for job in plan(["a.png", "b/"])] == [Path("b/a-night.png")]
    assert [job.out for job in plan(["a.png", "x/a.tif", "c"])] == [
        Path("c/a-night.png"),
        Path("c/a-night.tif"),
    ]
