"""Relative and metric depth, and which network for metric depth fits."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from nightflash import Aim
from nightflash.imaging.colour import decode
from nightflash.scene import DepthSource, aim_at, survey
from nightflash.scene.estimate import open_share
from torch import Tensor
from training.scenes import render_scene

from tests.scene.test_geometry import H, W, photo


class Known:
    """Tells a depth known before, and counts how often it is asked."""

    def __init__(self, inverse_depth: Tensor) -> None:
        self.given = inverse_depth
        self.asked = 0

    def inverse_depth(self, rgb: Tensor) -> Tensor:
        self.asked += 1
        return self.given


def pair(indoors: Tensor, outdoors: Tensor) -> tuple[Known, Known, list[DepthSource]]:
    one, other = Known(indoors), Known(outdoors)
    return one, other, [DepthSource("in", one, "indoors"), DepthSource("out", other, "outdoors")]


def grey_room(bright: float = 0.0) -> Tensor:
    """Encoded (3, H, W): grey walls of some texture, the share ``bright`` from the top plain."""
    noise = torch.rand(1, H, W, generator=torch.Generator().manual_seed(1))
    picture = 0.4 + 0.2 * noise.expand(3, H, W)
    picture[:, : round(bright * H)] = 0.95
    return picture


def ramp(nearest: float, farthest: float) -> Tensor:
    """1 / metres (H, W): far at the top, near at the bottom."""
    return 1 / torch.linspace(farthest, nearest, H)[:, None].expand(H, W).contiguous()


def test_metric_depth_keeps_its_metres() -> None:
    metres = ramp(2.0, 8.0)
    seen = survey(decode(grey_room()), [DepthSource("in", Known(metres), "indoors")], None)
    assert seen.metres is not None
    depth = seen.metres / seen.inverse_depth
    assert float(depth[0].median()) == pytest.approx(8.0, rel=0.03)
    assert float(depth[-1].median()) == pytest.approx(2.0, rel=0.06)
    scene = aim_at(seen, None, Aim(box=(40, 40, 40, 40)), (W, H))
    assert scene.metres == seen.metres


def test_relative_depth_has_no_metres() -> None:
    seen = survey(decode(grey_room()), [DepthSource("relative", Known(ramp(2.0, 8.0)))], None)
    assert seen.metres is None
    assert seen.depth_from == "relative"
    assert survey(decode(grey_room()), [], None).metres is None


def test_in_a_room_the_network_for_rooms_alone_is_asked() -> None:
    _, outdoors, networks = pair(ramp(2.0, 5.0), ramp(5.0, 60.0))
    assert survey(decode(grey_room()), networks, None).depth_from == "in"
    assert outdoors.asked == 0


def test_under_the_sky_the_network_for_the_open_is_believed() -> None:
    rendered = render_scene(6)
    day = torch.from_numpy(rendered.day.copy()).permute(2, 0, 1).contiguous()
    metres = torch.from_numpy(rendered.distance).clamp(max=80)
    _, _, networks = pair(1 / metres.clamp(max=20), 1 / metres)
    seen = survey(day, networks, None)
    assert seen.depth_from == "out"
    assert seen.metres is not None
    sky = torch.from_numpy(np.isinf(rendered.distance))
    assert float(seen.inverse_depth[sky].median()) == 0
    far = (metres > 30) & (metres < 70) & ~sky
    assert float((seen.metres / seen.inverse_depth[far] / metres[far]).median()) > 0.8


def test_a_bright_ceiling_is_no_sky_where_metres_are_known() -> None:
    ceiling = grey_room(bright=0.33)
    assert open_share(ceiling, ramp(1.0, 4.0)) == 0
    assert open_share(ceiling, ramp(1.0, 20.0)) == 1


def test_where_both_may_fit_both_are_asked_and_their_depths_blended() -> None:
    """A gap of sky above walls: neither a room for sure nor the open."""
    picture = grey_room(bright=0.05)
    near, far = torch.full((H, W), 1 / 6.0), torch.full((H, W), 1 / 24.0)
    share = open_share(picture, near)
    assert 0.2 < share < 0.8
    _, _, networks = pair(near, far)
    seen = survey(decode(picture), networks, None)
    assert seen.depth_from == "in and out"
    assert seen.metres is not None
    blended = float((seen.metres / seen.inverse_depth[-H // 2 :]).median())
    assert blended == pytest.approx(math.exp(math.log(6) + share * math.log(4)), rel=0.05)


def test_leaves_are_the_open_without_any_sky(shared: Path) -> None:
    leaves = photo(shared / "photos/daylight/capybara.jpg")
    assert open_share(leaves, torch.full((20, 30), 0.3)) == 1
