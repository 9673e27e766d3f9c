"""From the working size to every pixel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from nightflash import NightFlashError
from nightflash.fullsize.grain import add_grain, drawn_noise, noise_model
from nightflash.fullsize.region import Region
from nightflash.fullsize.transfer import close_up
from nightflash.imaging.resample import area
from nightflash.light.flash import FlashLight, flash_light
from nightflash.light.incidence import incidence
from nightflash.scene.scene import Scene
from nightflash.settings import Settings

from tests.fullsize.conftest import Ways, transferred

Picture = npt.NDArray[np.float32]
H, W = 300, 450
SMALL = (150, 100)


def textured(seed: int = 0) -> Picture:
    """A photo with fine texture and a bright object on a darker ground."""
    rng = np.random.default_rng(seed)
    photo = 0.2 + 0.1 * rng.random((H, W, 3), np.float32)
    photo[80:220, 150:300] = 0.5 + 0.2 * rng.random((140, 150, 3), np.float32)
    return photo


def working(photo: Picture) -> torch.Tensor:
    return torch.from_numpy(area(photo, SMALL)).permute(2, 0, 1).contiguous()


def lit(photo: Picture, settings: Settings) -> tuple[torch.Tensor, FlashLight]:
    small = working(photo)
    subject = torch.zeros(100, 150)
    subject[27:73, 50:100] = 1
    depth = 0.05 + 0.6 * subject
    scene = Scene(small, depth, subject, (150, 80, 150, 140), (W, H), "test", "test")
    return small, flash_light(scene, incidence(scene), settings)


def test_a_neutral_light_gives_the_photo_back_exactly() -> None:
    photo = textured() * 3 - 0.5
    small, light = lit(photo, Settings(ambient=0, flash=False))
    assert np.array_equal(transferred(photo, small, light, None), photo)


def test_a_neutral_refinement_changes_nothing() -> None:
    photo = textured()
    small, light = lit(photo, Settings(ambient=-1, flash=False))
    night = light.shine(small, light.maps)
    assert np.allclose(
        transferred(photo, small, light, night), transferred(photo, small, light, None), atol=1e-6
    )


def test_texture_of_the_lit_subject_stays_and_the_dark_is_dark() -> None:
    photo = textured()
    small, light = lit(photo, Settings())
    night = transferred(photo, small, light, None)
    inside, outside = (slice(110, 190), slice(190, 260)), (slice(10, 60), slice(10, 120))
    contrast = [p[inside].std() / p[inside].mean() for p in (photo, night)]
    assert contrast[1] > 0.8 * contrast[0]
    assert night[outside].mean() < photo[outside].mean() / 16


def test_the_light_changes_at_the_photos_edge_without_a_halo() -> None:
    photo = textured()
    small, light = lit(photo, Settings(night=0.0))
    gain = transferred(photo, small, light, None).mean(2) / photo.mean(2)
    row = gain[120:180].mean(0)
    far_out, near_out = row[60:100].mean(), row[130:147].mean()
    near_in, deep_in = row[154:170].mean(), row[200:250].mean()
    assert near_out < 4 * far_out
    assert near_in == pytest.approx(deep_in, rel=0.25)


def test_refinement_is_replayed_at_full_size() -> None:
    """What made the small picture flat in the dark makes the large one flat there too."""
    photo = textured()
    small, light = lit(photo, Settings(ambient=-3, ambient_temperature=5400, flash=False))
    plain = transferred(photo, small, light, None)
    night = light.shine(small, light.maps)
    flat = night.clone()
    flat[:, :, :40] = night[:, :, :40].mean((1, 2), keepdim=True)
    refined = transferred(photo, small, light, flat)
    left, right = (slice(None), slice(0, 90)), (slice(None), slice(320, 440))
    assert refined[left].std() < 0.5 * plain[left].std()
    assert refined[left].mean() == pytest.approx(plain[left].mean(), rel=0.02)
    assert np.allclose(refined[right], plain[right], atol=1e-4)


def test_strips_do_not_show() -> None:
    """A horizontal ramp of light stays smooth over the rows at which strips meet."""
    photo = np.full((H, W, 3), 0.25, np.float32)
    small = working(photo)
    ramp = torch.linspace(-6, 0, 100)[:, None].expand(100, 150)[None]
    one = torch.ones(3, 1, 1)
    light = FlashLight(small, ramp, 0 * one, one)
    stops = np.log2(transferred(photo, small, light, None)[20:-20, 5, 0])
    assert np.abs(np.diff(stops, 2)).max() < 2e-3


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (700, 1), (65, 3)])
def test_any_shape_works(shape: tuple[int, int]) -> None:
    photo = np.full((*shape, 3), 0.25, np.float32)
    small = torch.full((3, 32, 32), 0.25)
    light = FlashLight(small, torch.zeros(1, 32, 32), torch.zeros(3, 1, 1), torch.ones(3, 1, 1))
    assert np.allclose(transferred(photo, small, light, small), photo, atol=1e-5)


@pytest.mark.parametrize("place", [(0, 0, 450, 300), (7, 50, 99, 30), (440, 299, 10, 1)])
@pytest.mark.parametrize("iso", [None, 3200.0])
def test_a_close_up_has_the_results_pixels(
    place: tuple[int, int, int, int], iso: float | None
) -> None:
    """The same grain too, whatever strips of the whole picture the region touches."""
    photo = textured()
    small, light = lit(photo, Settings())
    region = Region(*place, (W, H))
    whole = transferred(photo, small, light, None, iso=iso, seed=5)
    near = close_up(photo[region.slices], region, small, light, iso=iso, seed=5)
    np.testing.assert_allclose(near, whole[region.slices], atol=1e-6)


def test_a_close_up_scaled_down_is_the_result_scaled_down() -> None:
    photo = textured()
    small, light = lit(photo, Settings())
    region = Region(30, 60, 300, 200, (W, H))
    whole = transferred(photo, small, light, None, iso=3200.0, seed=5)[region.slices]
    half = area(np.ascontiguousarray(photo[region.slices]), (150, 100))
    near = close_up(half, region, small, light, iso=3200.0, seed=5)
    wanted = area(np.ascontiguousarray(whole), (150, 100))
    assert np.abs(near - wanted).mean() < 0.15 * wanted.mean()
    assert near.mean() == pytest.approx(wanted.mean(), rel=0.01)
    plain = close_up(half, region, small, light)
    still = area(
        np.ascontiguousarray(transferred(photo, small, light, None)[region.slices]), (150, 100)
    )
    assert (near - plain).std() == pytest.approx((wanted - still).std(), rel=0.1)


@pytest.mark.parametrize("place", [(-1, 0, 9, 9), (0, 0, 451, 9), (0, 299, 9, 2), (0, 0, 0, 9)])
def test_a_region_lies_in_the_photo(place: tuple[int, int, int, int]) -> None:
    with pytest.raises(NightFlashError, match="450 x 300"):
        Region(*place, (W, H))


@pytest.mark.parametrize("fused", [True, False])
def test_cancelling_stops_at_once(way: Ways, fused: bool) -> None:
    way(fused)
    photo = textured()
    small, light = lit(photo, Settings())
    seen = []

    def stop(fraction: float) -> None:
        seen.append(fraction)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        transferred(photo, small, light, None, progress=stop)
    assert len(seen) == 1


def test_grain_has_the_sensors_variance_and_comes_from_the_seed() -> None:
    grey = torch.full((3, 300, 300), 0.3)

    def grained(seed: tuple[int, int]) -> torch.Tensor:
        return add_grain(grey, 1600, drawn_noise(300, 300, seed, grey.device))

    noisy = grained((7, 0))
    a, b = noise_model(1600)
    assert float((noisy - grey).var()) == pytest.approx(a * 0.3 + b, rel=0.03)
    assert torch.equal(noisy, grained((7, 0)))
    assert not torch.equal(noisy, grained((8, 0)))
    assert not torch.equal(noisy, grained((7, 1)))


@pytest.mark.parametrize(
    ("iso", "a", "b"), [(100, 1.5e-4, 2.5e-7), (1600, 2.3e-3, 1.1e-5), (3200, 4.4e-3, 4.4e-5)]
)
def test_noise_model_meets_the_measured_figures(iso: float, a: float, b: float) -> None:
    found = noise_model(iso)
    assert found[0] == pytest.approx(a, rel=0.1)
    assert found[1] == pytest.approx(b, rel=0.1)
