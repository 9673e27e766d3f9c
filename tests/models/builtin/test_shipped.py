"""The networks that ship with NightFlash, as they are."""

from __future__ import annotations

import statistics
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from nightflash.engine.engine import Engine
from nightflash.errors import NightFlashError
from nightflash.models import registry, tcmonodepth
from nightflash.models.builtin import content_net, scene_net, weights
from nightflash.models.builtin.scene_net import SceneNet
from nightflash.models.builtin.weights import FOLDER
from nightflash.models.choice import Choice, choose
from nightflash.models.registry import NETWORKS
from nightflash.photo import Photo, read_photo
from nightflash.settings import Settings
from training import figures
from training.scenes import render_scene

from tests.models.pictures import CPU

SHIPPED = [n for n in NETWORKS.values() if n.network_set == "builtin"]
LARGEST = 3_100_000  # bytes: 1.5 million parameters in half precision, and their names


@pytest.fixture(scope="module")
def network() -> SceneNet:
    return scene_net.load(None, CPU)


def test_they_are_small_and_each_has_a_card() -> None:
    files = sorted({n.shipped for n in SHIPPED if n.shipped})
    assert [file.name for file in files] == ["content_net.safetensors", "scene_net.safetensors"]
    for file in files:
        assert file.stat().st_size <= LARGEST
        card = file.with_suffix(".md").read_text(encoding="utf-8")
        for part in ("Data", "Teacher", "Licence", "Losses", "Figures", "Limits"):
            assert f"## {part}" in card, part


def test_depth_on_photos_kept_apart_is_that_of_the_teacher(shared: Path, network: SceneNet) -> None:
    file = shared / "weights" / tcmonodepth.DESCRIPTOR.files[0].name
    teacher = tcmonodepth.load(file, CPU)
    found = figures.depth_on_photos(network, teacher, shared / "photos")
    assert len(found) == 30
    assert statistics.median(found) >= 0.92
    assert np.quantile(found, 0.1) >= 0.75


def test_depth_of_scenes_is_as_good_as_the_teacher_s(shared: Path, network: SceneNet) -> None:
    file = shared / "weights" / tcmonodepth.DESCRIPTOR.files[0].name
    ours, theirs = (figures.depth_on_scenes(n) for n in (network, tcmonodepth.load(file, CPU)))
    assert statistics.median(ours) >= statistics.median(theirs)
    assert statistics.fmean(ours) >= statistics.fmean(theirs)


def test_masks_of_scenes(network: SceneNet) -> None:
    """As the engine lays their outlines; the network's own are coarse.

    The first SceneNet, which learnt from far more rendered scenes than photos, reached 0.84.
    """
    engine = Engine("builtin", None, "cpu")
    found = []
    for seed in figures.UNSEEN_SEEDS:
        rendered = render_scene(seed)
        mask = engine.analyse(Photo.from_linear(rendered.day), Settings()).subject.numpy()
        size = rendered.mask.shape[::-1]
        found.append(figures.iou(cv2.resize(mask, size), rendered.mask))
    assert statistics.fmean(found) >= 0.75
    assert statistics.fmean(figures.masks_on_scenes(network)) >= 0.72


def test_the_mask_of_a_bird(shared: Path) -> None:
    """Neither photo nor mask was trained on."""
    folder = shared / "photos" / "masks"
    truth = cv2.imread(str(folder / "coral_bird_segmentation_mask.bmp"), cv2.IMREAD_GRAYSCALE)
    assert truth is not None
    scene = Engine("builtin", None, "cpu").analyse(
        read_photo(folder / "coral_bird_segmentation.bmp"), Settings()
    )
    mask = cv2.resize(scene.subject.numpy(), truth.shape[::-1], interpolation=cv2.INTER_LINEAR)
    assert figures.iou(mask, (truth > 0).astype(np.float32)) >= 0.85


@pytest.mark.parametrize("shade", [0.0, 0.5, 1.0])
def test_nothing_is_seen_where_there_is_nothing(network: SceneNet, shade: float) -> None:
    assert not network.main_object(torch.full((3, 200, 300), shade)).clear


@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 900), (300, 200), (64, 64)])
def test_any_size_gives_maps_of_the_whole(network: SceneNet, height: int, width: int) -> None:
    rgb = torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))
    depth = network.inverse_depth(rgb)
    assert depth.isfinite().all()
    assert depth.min() >= 0
    mask = network.main_object(rgb).mask
    assert mask.shape == depth.shape
    assert 0 <= mask.min() <= mask.max() <= 1


def test_depth_and_main_object_of_a_picture_take_one_pass(
    network: SceneNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (registry.load(d, Path(), CPU) for d in (scene_net.DEPTH, scene_net.SUBJECT))
    assert one is other
    passes = []
    forward = SceneNet.forward
    monkeypatch.setattr(
        SceneNet, "forward", lambda self, rgb: passes.append(rgb) or forward(self, rgb)
    )
    rgb = torch.rand(3, 64, 96, generator=torch.Generator().manual_seed(2))
    depth, mask = network.inverse_depth(rgb), network.main_object(rgb).mask
    assert len(passes) == 1
    assert torch.equal(network.inverse_depths(rgb[None])[0], depth)
    assert torch.equal(network.main_objects(rgb[None])[0].mask, mask)
    passes.clear()
    rgb[:] = 0.5  # the same tensor, another picture
    assert not torch.equal(network.inverse_depth(rgb), depth)
    assert len(passes) == 1


def test_the_main_object_is_found_and_told(shared: Path) -> None:
    photo = read_photo(shared / "photos/daylight/coral_owl.jpg")  # kept apart from training
    scene = Engine("builtin", None, "cpu").analyse(photo, Settings())
    assert scene.subject_from == "the main object"
    x, y, w, h = scene.box
    assert x < photo.width / 2 < x + w
    assert y < photo.height / 2 < y + h


def test_nothing_else_is_needed_or_taken(tmp_path: Path) -> None:
    engine = Engine("auto", tmp_path, "cpu")
    assert engine.networks == {
        "depth": scene_net.NAME,
        "subject": scene_net.SUBJECT.name,
        "features": content_net.NAME,
    }
    assert engine.networks == Engine("builtin", None, "cpu").networks


def test_reading_them_leaves_random_numbers_alone() -> None:
    torch.manual_seed(9)
    expected = torch.rand(3)
    torch.manual_seed(9)
    scene_net.load(None, CPU)
    content_net.load(None, CPU)
    assert torch.equal(torch.rand(3), expected)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another folder, empty at first, as the one of the weights that ship with NightFlash."""
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    for network in SHIPPED:
        assert network.shipped is not None
        moved = replace(network, shipped=tmp_path / network.shipped.name)
        monkeypatch.setitem(NETWORKS._by_name, network.name, moved)
    monkeypatch.setattr(registry, "_loaded", {})
    return tmp_path


def test_without_them_rules_stand_in(elsewhere: Path) -> None:
    for words in ("auto", "builtin", "rules"):
        choice = Choice.of(words)
        assert choose("depth", choice, elsewhere) is None
        assert choose("subject", choice, elsewhere) is None
        assert choose("detector", choice, elsewhere) is None
        assert choose("features", choice, elsewhere).network_set == "rules"
    night = Engine("auto", elsewhere, "cpu").render(
        Photo.from_linear(np.full((40, 60, 3), 0.4, np.float32)), Settings(quality="fast")
    )
    assert night.report.networks["depth"] == "geometry"


@pytest.mark.parametrize("spoilt", [b"", b"nonsense", None])
def test_a_damaged_package_is_told(elsewhere: Path, spoilt: bytes | None) -> None:
    for name, load in ((scene_net.NAME, scene_net.load), (content_net.NAME, content_net.load)):
        whole = (FOLDER / f"{name}.safetensors").read_bytes()
        content = whole[: len(whole) // 2] if spoilt is None else spoilt
        (elsewhere / f"{name}.safetensors").write_bytes(content)
        with pytest.raises(NightFlashError, match="is damaged") as caught:
            load(None, CPU)
        assert caught.value.code == "networks_corrupt"
        assert "Install NightFlash again" in caught.value.remedy


def test_one_flipped_bit_is_not_the_network(elsewhere: Path) -> None:
    for name, load in ((scene_net.NAME, scene_net.load), (content_net.NAME, content_net.load)):
        content = bytearray((FOLDER / f"{name}.safetensors").read_bytes())
        content[-101] ^= 1  # in the values: names and shapes stay, and the value is finite
        (elsewhere / f"{name}.safetensors").write_bytes(content)
        with pytest.raises(NightFlashError, match="is damaged"):
            load(None, CPU)


def test_a_missing_part_of_nightflash_is_not_looked_for_in_the_users_folder(
    elsewhere: Path,
) -> None:
    with pytest.raises(NightFlashError, match="a part of NightFlash, is missing") as caught:
        choose("depth", Choice.of("scene_net"), elsewhere / "of the user")
    assert caught.value.remedy == "Install NightFlash again."
    with pytest.raises(NightFlashError, match="is missing"):
        scene_net.load(None, CPU)
