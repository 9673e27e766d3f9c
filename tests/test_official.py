"""The official networks from their files to a night photo, with made-up weights of their layout."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nightflash import Engine, Photo, Settings
from nightflash.cli import main
from nightflash.models.registry import NETWORKS
from PIL import Image

from tests.command_line import linear, photo, pixels, refused, renders
from tests.models.depth_anything.official import made_up_weights, write_own
from tests.server import backend

THE_THREE = {
    "depth": "midas_v21_small_256",
    "subject": "mask_rcnn",  # in the place of IS-Net, which is not there
    "detector": "mask_rcnn",
    "features": "vgg19",
}
METRIC = "depth_anything_v2_indoor_small", "depth_anything_v2_outdoor_small"
QUICK = ("--set", "steps=3", "--set", "working_size=0.02", "--device", "cpu")


@pytest.fixture(scope="module")
def rendered(official: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Any]:
    """A photo, its night by the command line, and the report."""
    folder = tmp_path_factory.mktemp("rendered")
    day, night = photo(folder / "day.png"), folder / "night.png"
    with contextlib.redirect_stdout(io.StringIO()) as out:
        renders(day, night, "--networks", "official", "--weights", official, *QUICK, "--json")
    return day, night, json.loads(out.getvalue())


def test_a_photo_by_the_command_line(rendered: tuple[Path, Path, Any]) -> None:
    day, night, report = rendered
    assert report["networks"] == THE_THREE
    assert "dog" in report["subject_from"]
    assert report["losses"]
    assert linear(night).mean() < linear(day).mean()


def test_a_photo_through_the_backend(
    rendered: tuple[Path, Path, Any], official: Path, tmp_path: Path
) -> None:
    day, night, _ = rendered
    options = ("--networks", "official", "--weights", str(official), "--device", "cpu")
    with backend.a_place(*options) as place:
        with place.client() as client:
            client.connect()
        renders(day, tmp_path / "there.png", "--via-backend", *QUICK[:4])
        with place.client(starts=False) as client:
            assert client.ask("status")["networks"] == THE_THREE
        assert "Traceback" not in place.log
    assert (tmp_path / "there.png").read_bytes() == night.read_bytes()


def test_auto_leaves_what_is_for_a_gpu_to_a_gpu(official: Path) -> None:
    engine = Engine("auto", official, "cpu")
    assert engine.networks == {
        "depth": THE_THREE["depth"],
        "subject": "scene_net_subject",
        "features": "content_net",
    }
    assert Engine("auto,mask_rcnn,vgg19", official, "cpu").networks == THE_THREE


def test_a_damaged_file_is_named(
    official: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    for file in official.iterdir():
        (weights / file.name).symlink_to(file)
    spoilt = weights / "vgg19_tv_in1k_conv3_1.safetensors"
    content = bytearray(spoilt.read_bytes())
    content[-1] ^= 1
    spoilt.unlink()
    spoilt.write_bytes(content)
    day = photo(tmp_path / "day.png")
    options = ("--networks", "official", "--weights", weights)
    assert f"{spoilt} is damaged" in refused(capsys, day, tmp_path / "night.png", *options)
    assert main(["models", "verify", "--weights", str(weights)]) == 1
    assert spoilt.name in capsys.readouterr().out


@pytest.fixture(scope="module")
def with_both(official: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder with Depth Anything beside MiDaS."""
    weights = tmp_path_factory.mktemp("both")
    for file in official.iterdir():
        (weights / file.name).symlink_to(file)
    write_own(weights / "depth_anything_v2_vits.pth", made_up_weights())
    return weights


def test_depth_anything_by_the_command_line_and_midas_for_the_published_method(
    with_both: Path, tmp_path: Path
) -> None:
    day = photo(tmp_path / "day.png")
    options = ("--networks", "official", "--weights", with_both, *QUICK, "--json")
    for method, depth in (("flash", "depth_anything_v2_small"), ("published", THE_THREE["depth"])):
        night = tmp_path / f"{method}.png"
        with contextlib.redirect_stdout(io.StringIO()) as out:
            renders(day, night, *options, "--method", method)
        report = json.loads(out.getvalue())
        assert report["networks"] == {**THE_THREE, "depth": depth}
        assert report["subject_metres"] is None
        assert linear(night).mean() < linear(day).mean()


def test_one_engine_keeps_the_two_methods_depth_apart(with_both: Path) -> None:
    engine = Engine("official", with_both, "cpu")
    day = Photo.from_linear((pixels(96, 64) / np.float32(255)) ** 2.2)
    flash, published = Settings(), Settings(method="published")
    first = engine.analyse(day, flash)
    other = engine.analyse(day, published)
    assert first.depth_from == "depth_anything_v2_small"
    assert other.depth_from == THE_THREE["depth"]
    assert not torch.equal(first.inverse_depth, other.inverse_depth)
    assert torch.equal(engine.analyse(day, flash).inverse_depth, first.inverse_depth)


def test_depth_anything_through_the_backend(with_both: Path, tmp_path: Path) -> None:
    options = ("--networks", "official", "--weights", str(with_both), "--device", "cpu")
    day, night = photo(tmp_path / "day.png"), tmp_path / "there.png"
    with backend.a_place(*options) as place:
        with place.client() as client:
            client.connect()
        for method, depth in (
            ("flash", "depth_anything_v2_small"),
            ("published", THE_THREE["depth"]),
        ):
            with contextlib.redirect_stdout(io.StringIO()) as out:
                renders(day, night, "--via-backend", *QUICK[:4], "--json", "--method", method)
            assert json.loads(out.getvalue())["networks"]["depth"] == depth
        assert "Traceback" not in place.log
    assert linear(night).mean() < linear(day).mean()


@pytest.fixture(scope="module")
def in_metres(with_both: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder with the two networks for metric depth."""
    weights = tmp_path_factory.mktemp("metres")
    for file in with_both.iterdir():
        (weights / file.name).symlink_to(file)
    for name in METRIC:
        write_own(weights / NETWORKS[name].files[0].name, made_up_weights("metric"))
    return weights


def in_the_open(path: Path) -> Path:
    """A photo under a clear sky that fills half of it."""
    rgb = pixels(480, 320)
    rgb[:160] = (150, 190, 235)
    Image.fromarray(rgb).save(path)
    return path


def test_metric_depth_by_the_command_line(in_metres: Path, tmp_path: Path) -> None:
    day = photo(tmp_path / "day.png")
    night = tmp_path / "night.png"
    options = ("--weights", in_metres, *QUICK, "--json")
    for networks, depth in (("official", METRIC[0]), (f"official,{METRIC[1]}", METRIC[1])):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            renders(day, night, "--networks", networks, *options)
        report = json.loads(out.getvalue())
        assert report["networks"] == {**THE_THREE, "depth": depth}
        assert 0.01 < report["subject_metres"] < 80
        assert linear(night).mean() < linear(day).mean()


def test_metric_depth_through_the_backend_by_the_network_that_fits(
    in_metres: Path, tmp_path: Path
) -> None:
    options = ("--networks", "official", "--weights", str(in_metres), "--device", "cpu")
    night = tmp_path / "there.png"
    with backend.a_place(*options) as place:
        with place.client() as client:
            client.connect()
        for day, depth in (
            (photo(tmp_path / "day.png"), METRIC[0]),
            (in_the_open(tmp_path / "open.png"), METRIC[1]),
        ):
            with contextlib.redirect_stdout(io.StringIO()) as out:
                renders(day, night, "--via-backend", *QUICK[:4], "--json")
            report = json.loads(out.getvalue())
            assert report["networks"]["depth"] == depth
            assert report["subject_metres"] > 0
            assert linear(night).mean() < linear(day).mean()
        with place.client(starts=False) as client:
            assert client.ask("status")["networks"]["depth"] == " or ".join(METRIC)
        assert "Traceback" not in place.log


def test_the_published_method_tells_that_it_is_without_midas(
    official: Path, tmp_path: Path
) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    for file in official.iterdir():
        if not file.name.startswith("midas"):
            (weights / file.name).symlink_to(file)
    write_own(weights / "depth_anything_v2_vits.pth", made_up_weights())
    day = Photo.from_linear((pixels(96, 64) / np.float32(255)) ** 2.2)
    published = Settings(method="published", quality="fast")

    def notes(networks: str, folder: Path, settings: Settings) -> list[str]:
        notes = Engine(networks, folder, "cpu").render(day, settings).report.notes
        return [note for note in notes if "MiDaS" in note]

    for networks in ("auto", "official"):
        (note,) = notes(networks, weights, published)
        remedy = re.search(r"'nightflash (models download \w+)'", note)
        assert remedy is not None
        descriptor = NETWORKS[remedy[1].split()[-1]]
        assert descriptor.published_method
        assert not descriptor.for_gpu
    assert not notes("auto", weights, Settings(quality="fast"))
    assert not notes("auto", official, published)
    for networks in ("builtin", "auto,depth_anything_v2_small"):  # as the user wants it
        assert not notes(networks, weights, published)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("quality", ["fast", "best"])
def test_a_gpu_gives_what_the_processor_gives(official: Path, quality: str) -> None:
    day = Photo.from_linear((pixels(960, 640) / np.float32(255)) ** 2.2)
    nights = []
    for device in ("cpu", "cuda"):
        engine = Engine("official", official, device)
        night = engine.render(day, Settings(quality=quality, grain=None))
        nights.append(night.photo.to_encoded(8).astype(float))
    assert np.abs(nights[0] - nights[1]).mean() < 2
