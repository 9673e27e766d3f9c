"""Depth by networks: relative, or metric by the network that fits what the photo shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nightflash.errors import NightFlashError
from nightflash.models.descriptor import DepthNetwork, Place
from nightflash.scene.depth import aligned, by_the_nearest, scaled
from nightflash.scene.open_air import NEAREST_SKY, foliage_share, sky_mask

NEAREST_METRIC_SKY = 5.0  # metres within which nothing is sky, whatever its colour
SKY_RANGE = 0.02, 0.08  # share of the picture, from a window to the open


@dataclass(frozen=True)
class DepthSource:
    """A network for depth.

    Attributes:
        name: For the report.
        network: It, read.
        metric: Where it has learnt to give metres; None of a network for relative depth.
    """

    name: str
    network: DepthNetwork
    metric: Place | None = None


@dataclass(frozen=True)
class Estimate:
    """What networks say of a photo's depth.

    Attributes:
        inverse_depth, metres: See ``Scene``.
        found_by: Which networks' it is.
    """

    inverse_depth: Tensor
    metres: float | None
    found_by: str


def estimated(encoded: Tensor, sources: Sequence[DepthSource]) -> Estimate:
    """Ask networks for the depth of a photo.

    Args:
        encoded: (3, h, w) encoded 0..1.
        sources: One network, or two for metric depth: for rooms and for the open, in this order.

    Raises:
        NightFlashError: ``networks_corrupt`` where one gives values that are no numbers.
    """
    first = sources[0]
    if first.metric is None:
        raw = aligned(_asked(first, encoded), encoded)
        sky = sky_mask(encoded, scaled(raw))
        return Estimate(scaled(raw, sky, foliage_share(encoded)) * (1 - sky), None, first.name)
    raw, found_by = _asked(first, encoded), first.name
    if len(sources) > 1:
        share = open_share(encoded, raw)
        outdoors = sources[1]
        if share == 1:
            raw, found_by = _asked(outdoors, encoded), outdoors.name
        elif share > 0:
            raw = _blended(raw, _asked(outdoors, encoded), share)
            found_by = f"{first.name} and {outdoors.name}"
    raw = aligned(raw, encoded)
    near, metres = by_the_nearest(raw)
    return Estimate(near * (1 - _metric_sky(encoded, raw)), metres, found_by)


def open_share(encoded: Tensor, inverse_metres: Tensor) -> float:
    """How far a photo (3, h, w) was taken in the open, 0..1: sky is seen, or foliage.

    Args:
        encoded: It, 0..1.
        inverse_metres: (h', w') 1 / metres; by it a white ceiling is no sky.
    """
    wide = F.interpolate(inverse_metres[None, None], size=encoded.shape[1:], mode="bilinear")[0, 0]
    least, most = SKY_RANGE
    seen = (float(_metric_sky(encoded, wide).mean()) - least) / (most - least)
    return max(min(max(seen, 0.0), 1.0), foliage_share(encoded))


def _metric_sky(encoded: Tensor, inverse_metres: Tensor) -> Tensor:
    return sky_mask(encoded, inverse_metres * (NEAREST_SKY * NEAREST_METRIC_SKY))


def _blended(indoors: Tensor, outdoors: Tensor, share: float) -> Tensor:
    """The geometric mean of two inverse depths (h, w), the second weighing ``share``."""
    fitting = F.interpolate(outdoors[None, None], size=indoors.shape, mode="bilinear")[0, 0]
    return torch.exp(torch.lerp(indoors.log(), fitting.log(), share))


def _asked(source: DepthSource, encoded: Tensor) -> Tensor:
    inverse_depth = source.network.inverse_depth(encoded)
    if not inverse_depth.isfinite().all():
        raise NightFlashError(
            "The network for depth gives values that are no numbers.",
            "Fetch its file again, or choose another with --networks.",
            code="networks_corrupt",
        )
    return inverse_depth
