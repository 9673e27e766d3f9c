"""Our night against the true night of rendered scenes outside those that constants were fitted to.

They were looked at while constants were chosen; RESULTS.md has figures on scenes that were not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from nightflash.aim import Aim
from nightflash.engine.engine import Engine
from nightflash.photo import Photo
from nightflash.scene import Scene
from nightflash.scene.depth import scaled
from nightflash.settings import Settings
from training.scenes import HELD_OUT_SEEDS, RenderedScene, relative_inverse_depth, render_scene
from training.scenes.score import fitted_psnr

from tests.benchmarks.metric_depth import night_of
from tests.benchmarks.own_shadow import gains as gains_from_the_right
from tests.benchmarks.own_shadow import lit_from_the_right

Picture = npt.NDArray[np.float32]
PHYSICS = Settings(night=0.0)  # the light alone; a photographer's metering goes further


@dataclass(frozen=True)
class Gain:
    """dB over the best uniformly darkened picture, per scene."""

    values: npt.NDArray[np.float64]

    def check(self, median: float, losses: int = 0) -> None:
        shown = ", ".join(f"{v:.2f}" for v in self.values)
        assert np.median(self.values) >= median, shown
        assert (self.values < 0).sum() <= losses, shown


@lru_cache
def darkened(seed: int) -> float:
    scene = render_scene(seed)
    return fitted_psnr(scene.day, scene.night)


def true_scene(rendered: RenderedScene) -> Scene:
    """Scene with the exact mask and the exact depth, under an unknown scale and shift."""
    raw = torch.from_numpy(relative_inverse_depth(rendered, np.random.default_rng(rendered.seed)))
    sky = torch.from_numpy(np.isinf(rendered.distance).astype(np.float32))
    height, width = rendered.mask.shape
    x, y, w, h = (float(v) for v in rendered.box)
    return Scene(
        photo=torch.from_numpy(rendered.day.copy()).permute(2, 0, 1).contiguous(),
        inverse_depth=scaled(raw, sky),
        subject=torch.from_numpy(rendered.mask.copy()),
        box=(x, y, w, h),
        size=(width, height),
        depth_from="truth",
        subject_from="truth",
    )


def gains(analyse: Callable[[RenderedScene], Scene], settings: Settings = PHYSICS) -> Gain:
    values = []
    for seed in HELD_OUT_SEEDS:
        rendered = render_scene(seed)
        values.append(
            fitted_psnr(night_of(analyse(rendered), settings), rendered.night) - darkened(seed)
        )
    return Gain(np.array(values))


def by_engine(engine: Engine) -> Callable[[RenderedScene], Scene]:
    return lambda rendered: engine.analyse(Photo.from_linear(rendered.day), Settings())


def test_with_true_depth_and_mask() -> None:
    gains(true_scene).check(median=4)


def test_metered_as_night_it_is_still_the_true_night_s_light() -> None:
    assert np.median(gains(true_scene, Settings()).values) >= 3


def test_with_lite_networks(shared: Path) -> None:
    """The two rooms are still lost: nothing in one photo tells a near wall from a far hedge."""
    gains(by_engine(Engine("lite", shared / "weights", "cpu"))).check(median=2, losses=2)


def test_with_our_own_networks(shared: Path) -> None:
    ours = gains(by_engine(Engine("builtin", None, "cpu"))).values
    lite = gains(by_engine(Engine("lite", shared / "weights", "cpu"))).values
    assert np.median(ours) >= np.median(lite) - 0.5, ours
    assert np.mean(ours) >= np.mean(lite) - 0.5, ours


def test_without_any_network() -> None:
    gains(by_engine(Engine("rules", None, "cpu"))).check(median=2)


def test_no_halo_at_the_subjects_edge(shared: Path) -> None:
    """Close to the silhouette the gain is as near the truth as a little further away.

    The whole way to the full-size picture with estimated depth; the mask alone is given. The
    bounds were set after measuring: one scene is at 1.7 stops, and thin objects on the ground
    are the cause known.
    """
    engine = Engine("lite", shared / "weights", "cpu")
    settings = Settings(quality="fast", grain=None, night=0.0)
    halos = []
    for seed in HELD_OUT_SEEDS:
        rendered = render_scene(seed)
        aim = Aim(mask=rendered.mask)
        night = engine.render(Photo.from_linear(rendered.day), settings, aim).photo.rgb
        ours, truth = (
            np.log2(np.maximum(p.mean(2), 1e-4) / np.maximum(rendered.day.mean(2), 1e-4))
            for p in (night, rendered.night)
        )
        near, further = _rings(rendered.mask)
        shown = rendered.day.mean(2) > 0.02
        error = ours - truth
        halos.append(np.median(error[near & shown]) - np.median(error[further & shown]))
    shown_halos = ", ".join(f"{h:.2f}" for h in halos)
    assert abs(np.median(halos)) < 0.5, shown_halos
    assert sum(h > 1 for h in halos) <= 2, shown_halos


def test_the_subject_s_shadow_lies_where_that_of_a_true_flash_beside_the_lens_does() -> None:
    for seed in (1303, 1306):
        room = lit_from_the_right(seed, 240, 160)
        _, without, with_shadow = gains_from_the_right(room, true_scene(room))
        assert with_shadow > without + 0.15, seed


def _rings(mask: Picture) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Pixels 1 to 6 and 12 to 24 outside the silhouette."""
    solid, kernel = (mask > 0.02).astype(np.uint8), np.ones((3, 3), np.uint8)
    grown = [cv2.dilate(solid, kernel, iterations=n) > 0 for n in (1, 6, 12, 24)]
    return grown[1] & ~grown[0], grown[3] & ~grown[2]
