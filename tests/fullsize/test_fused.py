"""The compiled way gives the pixels of the plain one, which is the reference."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nightflash.fullsize import transfer as module
from nightflash.fullsize.fitted import Fitted
from nightflash.fullsize.fused import Fused
from nightflash.fullsize.region import Region
from nightflash.fullsize.transfer import close_up
from nightflash.light.flash import FlashLight
from nightflash.light.incidence import DARKEST_STOPS
from nightflash.light.published import StyleLight

from tests.fullsize.conftest import Ways, transferred

Picture = npt.NDArray[np.float32]


def flash_of(rng: np.random.Generator, small: torch.Tensor, maps: int) -> FlashLight:
    """A light with every part of it drawn at random."""
    h, w = small.shape[1:]
    stops = rng.uniform(-18, 5, (maps, h, w)).astype(np.float32)
    if maps > 1:
        stops[1] = rng.uniform(-0.5, 1.5, (h, w))
    ambient, flash = rng.uniform(0, 0.3, 3), rng.uniform(0.3, 3, 3)
    colours = (torch.tensor(c, dtype=torch.float32)[:, None, None] for c in (ambient, flash))
    purkinje, pallor = rng.choice([0, 0.7]), rng.choice([0, 0.3])
    return FlashLight(small, torch.from_numpy(stops), *colours, float(purkinje), float(pallor))


@given(
    seed=st.integers(0, 10**6),
    size=st.tuples(st.integers(1, 150), st.integers(1, 90)),
    working=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    maps=st.integers(0, 2),
    refined=st.booleans(),
    iso=st.sampled_from([None, 200.0, 6400.0]),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_pixels_are_the_references(
    way: Ways,
    seed: int,
    size: tuple[int, int],
    working: tuple[int, int],
    maps: int,
    refined: bool,
    iso: float | None,
) -> None:
    rng = np.random.default_rng(seed)
    photo = rng.uniform(-0.2, 1.5, (*size, 3)).astype(np.float32)
    small = torch.from_numpy(rng.uniform(0, 1, (3, *working)).astype(np.float32))
    light = flash_of(rng, small, maps)
    night = torch.rand(3, *working, generator=torch.Generator().manual_seed(seed))
    change = night if refined else None
    made = []
    for fused in (True, False):
        way(fused)
        made.append(transferred(photo, small, light, change, iso=iso, seed=seed))
    np.testing.assert_allclose(*made, rtol=1e-5, atol=1e-5)
    assert not np.array_equal(made[0], photo)


@pytest.mark.parametrize("place", [(0, 0, 200, 130), (7, 50, 99, 30), (190, 129, 10, 1)])
def test_a_region_has_the_pixels_and_the_grain_of_the_whole(
    way: Ways, place: tuple[int, int, int, int]
) -> None:
    way(True)
    rng = np.random.default_rng(3)
    photo = rng.random((130, 200, 3), np.float32)
    small = torch.from_numpy(rng.random((3, 26, 40), np.float32))
    light, region = flash_of(rng, small, 1), Region(*place, (200, 130))
    whole = transferred(photo, small, light, None, iso=3200.0, seed=5)
    near = close_up(photo[region.slices], region, small, light, iso=3200.0, seed=5)
    np.testing.assert_array_equal(near, whole[region.slices])


def test_values_beyond_all_photos_stay_finite(way: Ways) -> None:
    way(True)
    photo = np.array([[[1e4, -1e4, 0], [1e-30, 0, 1]]], np.float32)
    small = torch.full((3, 32, 32), 0.5)
    one = torch.ones(3, 1, 1)
    light = FlashLight(small, torch.full((1, 32, 32), 4.0), 0 * one, 8 * one, purkinje=1.0)
    assert np.isfinite(transferred(photo, small, light, small, iso=12800.0)).all()


def test_progress_rises_to_one(way: Ways) -> None:
    way(True)
    photo = np.full((300, 20, 3), 0.25, np.float32)
    small = torch.full((3, 32, 32), 0.25)
    seen: list[float] = []
    light = flash_of(np.random.default_rng(0), small, 1)
    transferred(photo, small, light, None, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_only_a_flash_has_a_compiled_way() -> None:
    small = torch.full((3, 32, 32), 0.25)
    style = StyleLight(torch.full((1, 32, 32), 0.5), small)
    fitted = Fitted(small, style, None)
    assert not module._is_fused(fitted, Region(0, 0, 9, 9, (6000, 4000)))
    with pytest.raises(TypeError, match="StyleLight"):
        Fused.of(fitted, Region(0, 0, 9, 9, (9, 9)), (9, 9), None)


def test_the_photo_tells_the_way_so_that_a_night_has_the_same_bits_each_time() -> None:
    small = torch.full((3, 32, 32), 0.25)
    one = torch.ones(3, 1, 1)
    stops = torch.full((1, 32, 32), DARKEST_STOPS)
    fitted = Fitted(small, FlashLight(small, stops, one, one), None)
    assert not module._is_fused(fitted, Region(0, 0, 800, 500, (800, 500)))
    assert module._is_fused(fitted, Region(0, 0, 6000, 4000, (6000, 4000)))
    assert module._is_fused(fitted, Region(100, 100, 30, 20, (6000, 4000)))
