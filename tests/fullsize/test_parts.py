"""The night taken apart."""

from __future__ import annotations

import numpy as np
import pytest
from nightflash import Engine, Photo, Settings
from nightflash.fullsize.parts import parts
from nightflash.photo.encoding import srgb_decode, srgb_encode

from tests.command_line import pixels


@pytest.mark.parametrize(
    "settings",
    [
        Settings(steps=3),
        Settings(quality="fast", ambient=-2, purkinje=0.5),
        Settings(quality="fast", method="published"),
        Settings(quality="fast", flash=False, grain=None),
    ],
)
@pytest.mark.parametrize("bits", [8, 16])
def test_the_parts_add_up_to_the_night(settings: Settings, bits: int) -> None:
    photo = Photo.from_encoded(pixels())
    night = Engine("builtin", device="cpu").render(photo, settings)
    ambient, flash = parts(photo.rgb, night.photo.rgb, night.light)
    np.testing.assert_allclose(ambient + flash, night.photo.rgb, atol=1e-6)
    assert (flash >= 0).all()
    top = 2**bits - 1
    stored = [photo.with_rgb(part).to_encoded(bits) / top for part in (ambient, flash)]
    summed = srgb_encode(srgb_decode(stored[0]) + srgb_decode(stored[1]))
    assert np.abs(summed - night.photo.to_encoded(bits) / top).max() <= 2 / 255
    lit = flash.mean() > 0.001
    assert lit == settings.flash
    without = photo.rgb * settings.ambient_gain if settings.method == "flash" else 0 * photo.rgb
    assert ambient.mean() <= 1.2 * without.mean() + 1e-6
