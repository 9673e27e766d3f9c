"""Lamps in a photo stay lit at night."""

from __future__ import annotations

import pytest
import torch
from nightflash import Settings
from nightflash.imaging.colour import luminance
from nightflash.light import light_scene
from nightflash.scene.scene import Scene
from torch import Tensor

H, W = 300, 400
LAMP = (60, 320)  # row and column
WARM, WHITE, GREEN = (1.0, 0.7, 0.35), (1.0, 1.0, 1.0), (0.5, 1.0, 0.3)


def room(walls: float = 0.04, halo: tuple[float, float, float] | None = WARM) -> Tensor:
    """A room (3, H, W), linear, with a blown disc of 8 pixels on its wall, and a halo around it."""
    rows, columns = torch.arange(H)[:, None] - LAMP[0], torch.arange(W)[None] - LAMP[1]
    away = torch.hypot(rows.float(), columns.float().expand(H, W)) / 8
    photo = torch.full((3, H, W), walls)
    if halo is not None:
        photo = photo + torch.tensor(halo)[:, None, None] * (0.9 * torch.exp(1 - away)).clamp(max=1)
    return torch.where(away < 1, 1.0, photo).clamp(0, 1)


def night(photo: Tensor, settings: Settings) -> Tensor:
    """Luminance (H, W) of the night, a subject far away from the lamp."""
    subject = torch.zeros(H, W)
    subject[150:250, 60:140] = 1
    depth = torch.full((H, W), 0.3)
    depth[subject > 0] = 0.9
    box = (60.0, 150.0, 80.0, 100.0)
    light = light_scene(Scene(photo, depth, subject, box, (W, H), "test", "test"), settings)
    return luminance(light.shine(photo, light.maps))


@pytest.mark.parametrize("flash", [True, False])
def test_a_lamp_burns_at_night_and_lights_no_more_than_its_halo(flash: bool) -> None:
    dark = night(room(), Settings(flash=flash))
    assert float(dark[LAMP]) > 0.8
    assert float(dark[LAMP[0] + 40, LAMP[1]]) < 0.02


@pytest.mark.parametrize("halo", [None, WHITE, GREEN])
def test_white_things_glints_and_gaps_in_leaves_are_no_lamps(
    halo: tuple[float, float, float] | None,
) -> None:
    """Without the flash, which in a room lights what is white and far, too."""
    assert float(night(room(halo=halo), Settings(flash=False))[LAMP]) < 0.1


def test_no_lamp_is_seen_in_a_bright_photo() -> None:
    assert float(night(room(walls=0.3), Settings())[LAMP]) < 0.1


def test_a_lamp_that_the_ambient_light_outshines_changes_nothing() -> None:
    photo = room()
    day = night(photo, Settings(flash=False, ambient=0.0))
    assert torch.allclose(day, luminance(photo), atol=1e-5)
