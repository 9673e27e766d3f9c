"""What daylight shading has to give way to: surfaces as they face the flash, sun evened out."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from nightflash.imaging.colour import luminance
from nightflash.imaging.guided_filter import GuidedFilter
from nightflash.light.bracket import AT_CAMERA, FOCAL_LENGTH, Flash

FLATTEST = 0.1  # least cosine between a surface and the flash; beyond, depth is too rough
SURFACE_EPS = 1e-3 / 3  # variance of inverse depth over which neighbours are two surfaces
LIGHT_EPS = 1e-2 / 3  # likewise, over which they are lit apart
FLATTEN_LIMIT = 1.0  # stops


def facing_stops(
    inverse_depth: Tensor, flash: Flash = AT_CAMERA, at_subject: float = 1.0
) -> Tensor:
    """Lambert's cosine towards a flash, (h, w) stops, at most 0.

    A plane's inverse depth m is linear in the picture: with gradient g and focal length f its
    normal is ``(f g_x, f g_y, m - x g_x - y g_y)``, and a point lies at ``r / m`` on its ray r. So
    the cosine to a flash at the camera is ``m / (|n| |r|)``, whatever the scale of m.

    Args:
        inverse_depth: (h, w), 0 is infinitely far.
        flash: Where it is.
        at_subject: Inverse depth of the subject; a flash at the camera does not need it.
    """
    h, w = inverse_depth.shape
    focal = FOCAL_LENGTH * math.hypot(h, w)
    edges = GuidedFilter(inverse_depth[None], max(1, round(focal / 40)), SURFACE_EPS)
    m = edges.filter(inverse_depth[None])[0].clamp(min=1e-4)
    reach = max(1, round(focal / 80))
    gx, gy = _gentle_slope(m, 1, reach), _gentle_slope(m, 0, reach)
    x = torch.arange(w, device=m.device)[None, :] + 0.5 - w / 2
    y = torch.arange(h, device=m.device)[:, None] + 0.5 - h / 2
    normal = torch.sqrt((focal * gx) ** 2 + (focal * gy) ** 2 + (m - x * gx - y * gy) ** 2)
    right, down = (part * focal / at_subject * m for part in (flash.right, flash.down))
    way = torch.sqrt((x - right) ** 2 + (y - down) ** 2 + focal * focal) / focal
    towards = m - right * gx - down * gy
    cosine = (towards / (normal * way).clamp(min=1e-6)).clamp(FLATTEST, 1.0)
    return torch.log2(edges.filter(cosine[None])[0].clamp(FLATTEST, 1.0))


def sun_stops(photo: Tensor, inverse_depth: Tensor) -> Tensor:
    """Stops (h, w) that even out broad sun and shadow within one depth, limited both ways.

    Args:
        photo: (3, h, w) linear.
        inverse_depth: (h, w).
    """
    stops = torch.log2(luminance(photo).clamp(min=2e-3))[None]
    guide = inverse_depth[None]
    radius = max(2, round(math.hypot(*inverse_depth.shape) / 20))
    local = GuidedFilter(guide, radius, LIGHT_EPS).filter(stops)[0]
    broad = GuidedFilter(guide, 4 * radius, LIGHT_EPS).filter(stops)[0]
    return (broad - local).clamp(-FLATTEN_LIMIT, FLATTEN_LIMIT)


def _gentle_slope(m: Tensor, axis: int, reach: int) -> Tensor:
    """Slope per pixel along ``axis``, the gentler of both one-sided ones: steps count as none."""
    pad = (0, 0, reach, reach) if axis == 0 else (reach, reach, 0, 0)
    wide = F.pad(m[None, None], pad, mode="replicate")[0, 0]
    n = m.shape[axis]
    before, after = wide.narrow(axis, 0, n), wide.narrow(axis, 2 * reach, n)
    back, front = (m - before) / reach, (after - m) / reach
    return torch.where(back.abs() < front.abs(), back, front)
