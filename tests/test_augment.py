"""Nights for training: what v2's transforms promise, and the pixels of the engine."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from nightflash import Engine, Photo, Settings
from nightflash.augment import RandomNight
from nightflash.errors import NightFlashError
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

from tests.command_line import pixels


@pytest.fixture(scope="module")
def transform() -> RandomNight:
    return RandomNight(networks="builtin", device="cpu")


def batch(*sizes: int) -> torch.Tensor:
    """Photos of one size, each with another part of the scene."""
    rows = [np.roll(pixels(), shift, 1) for shift in sizes]
    return torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2)


def test_the_pixels_of_the_engine(transform: RandomNight) -> None:
    images = batch(0, 30)
    made = transform.nights(images, [1, 2])
    engine = Engine("builtin", device="cpu")
    for number, settings in enumerate(made.settings):
        assert settings is not None
        day = Photo.from_encoded(images[number].permute(1, 2, 0).numpy())
        settings = Settings.from_values({"quality": "fast"}, settings)
        night = engine.render(day, settings)
        expected = night.photo.to_encoded(8).astype(int)
        found = made.night[number].permute(1, 2, 0).numpy().astype(int)
        assert np.abs(found - expected).max() <= 2
        assert (found == expected).mean() > 0.98
        torch.testing.assert_close(made.mask[number, 0], night.scene.subject, atol=0.01, rtol=0)
        torch.testing.assert_close(
            made.depth[number, 0], night.scene.inverse_depth, atol=0.01, rtol=0
        )


def test_a_seed_gives_the_same_night_in_any_batch(transform: RandomNight) -> None:
    images = batch(0, 30)
    together = transform.nights(images, [7, 8])
    alone = transform.nights(images[1:], [8])
    assert together.settings[1] == alone.settings[0]
    assert together.settings[0] != together.settings[1]
    difference = (together.night[1].int() - alone.night[0].int()).abs()
    assert difference.max() <= 2
    assert torch.equal(alone.night, transform.nights(images[1:], [8]).night)


def test_boxes_masks_and_labels_stay_true(transform: RandomNight) -> None:
    day = tv_tensors.Image(batch(0)[0])
    target = {
        "boxes": tv_tensors.BoundingBoxes([[30, 20, 60, 50]], format="XYXY", canvas_size=(64, 96)),
        "masks": tv_tensors.Mask(torch.ones(1, 64, 96, dtype=torch.uint8)),
        "labels": torch.tensor([3]),
    }
    chain = v2.Compose([transform, v2.ToDtype(torch.float32, scale=True)])
    night, after = chain(day, target)
    assert isinstance(night, tv_tensors.Image)
    assert night.shape == day.shape
    assert night.mean() < 0.6 * day.float().mean() / 255
    for name, value in target.items():
        assert torch.equal(after[name], value)


def test_types_of_images(transform: RandomNight) -> None:
    day = batch(0)[0]
    torch.manual_seed(5)
    whole = transform(day)
    torch.manual_seed(5)
    fraction = transform(day.float() / 255)
    assert whole.dtype == torch.uint8
    torch.testing.assert_close(fraction, whole.float() / 255, atol=0.005, rtol=0)
    torch.manual_seed(5)
    picture = transform(Image.fromarray(pixels()))
    assert np.abs(np.asarray(picture).astype(int) - whole.permute(1, 2, 0).numpy()).max() <= 1


def test_grey_stays_grey(transform: RandomNight) -> None:
    grey = batch(0).float().mean(1, keepdim=True).expand(-1, 3, -1, -1) / 255
    plain = RandomNight({"ambient": (-8.0, -6.0)}, networks="builtin", device="cpu")
    night = plain.nights(grey, [1]).night
    assert torch.equal(night[:, 0], night[:, 1])
    assert night.std() > 0.005


def test_some_photos_are_left_as_they_are() -> None:
    transform = RandomNight(p=0.5, networks="builtin", device="cpu")
    drawn = [transform.draw(seed) for seed in range(200)]
    assert 60 < sum(one is None for one in drawn) < 140
    seeds = [next(s for s in range(200) if (drawn[s] is None) is left) for left in (True, False)]
    images = batch(0, 30)
    made = transform.nights(images, seeds)
    assert torch.equal(made.night[0], images[0])
    assert not torch.equal(made.night[1], images[1])


def test_it_goes_to_the_processes_of_a_loader(transform: RandomNight) -> None:
    again = pickle.loads(pickle.dumps(transform))
    assert again.draw(3) == transform.draw(3)


@pytest.mark.parametrize(
    "drawn",
    [
        {"ambient": (-99.0, 0.0)},
        {"colour": (0, 1)},
        {"flash_from": ["below"]},
        {"quality": ["best"]},
    ],
)
def test_what_cannot_be_drawn_is_refused(drawn: dict[str, object]) -> None:
    with pytest.raises(NightFlashError):
        RandomNight(drawn)


def test_images_of_another_shape_are_refused(transform: RandomNight) -> None:
    with pytest.raises(NightFlashError, match=r"v2\.RGB"):
        transform(torch.zeros(1, 64, 96, dtype=torch.uint8))
