"""From a box or a rough prior to a soft mask of the object in it, by colour and depth.

Object and background are separated pixel by pixel, then joined to one silhouette whose outline
runs along edges; the two steps alternate, as in GrabCut (Rother, Kolmogorov, Blake 2004). Colours
are those of a palette, compared in the whole and nearby (localised classifiers: Bai, Wang,
Simons, Sapiro 2009); depth is compared as it is and against the ground on either side; the
silhouette is a continuous minimum cut (Chan, Esedoglu, Nikolova 2006), found by the primal-dual
method of Chambolle and Pock (2011); the edge is refined with the guided filter (He, Sun, Tang
2013).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nightflash.imaging.guided_filter import GuidedFilter
from nightflash.scene.box import Box
from nightflash.scene.cut import Map, minimum_cut, outline_cost

Bounds = tuple[int, int, int, int]

SIDE = 256  # long side of the crop that is segmented
AROUND = 0.35  # of the box's size, around it: what is surely background
BEYOND = 0.05  # of the box's size, by which an object may exceed its box
ROUNDS = 6
STEPS = 40  # of the continuous cut in each round
PALETTE = 48  # colours
SAMPLES = 4096  # pixels from which the palette is made
ALIKE = 4.0  # CIELAB difference at which two colours count as much alike
NEARBY = 0.2  # of the crop's long side: the reach within which colours are compared locally
CELL = 4  # pixels: the raster on which they are counted
LEVELS = 24  # of depth
# Weights of the cues, which are not independent; tuned on rendered scenes of known masks.
BY_COLOUR, BY_DEPTH, BY_PLACE = 0.7, 0.25, 0.5
UNREACHED = 1.0  # evidence for the object, in nats, where it leaves a side of its box free
DEPTH_EDGE = 60.0  # CIELAB difference that counts as much as the whole range of depth
LEAST_PART = 0.15  # of the main part: lesser ones are dropped
LARGEST_HOLE = 0.01  # of the object: lesser ones are filled
FIRMEST = 4.0  # evidence of a single cue counts at most so many nats


def object_in_box(encoded: Tensor, inverse_depth: Tensor, box: Box) -> Tensor:
    """Find the object that fills ``box``.

    Args:
        encoded: (3, h, w) encoded 0..1.
        inverse_depth: (h, w) relative inverse depth, 0..1.
        box: (x, y, w, h) in pixels, inside the picture.

    Returns:
        (h, w) soft mask 0..1; never empty.
    """
    return _segmented(encoded, inverse_depth, _prior_in_box(inverse_depth, box), box, tight=True)


def object_from_prior(encoded: Tensor, inverse_depth: Tensor, prior: Tensor, box: Box) -> Tensor:
    """Refine ``prior`` (h, w; 0..1, probability of the object) inside ``box`` to a soft mask."""
    return _segmented(encoded, inverse_depth, prior, box, tight=False)


def _segmented(
    encoded: Tensor, inverse_depth: Tensor, prior: Tensor, box: Box, tight: bool
) -> Tensor:
    h, w = prior.shape
    x0, y0, x1, y1 = _grown(box, AROUND, w, h)
    scale = min(1.0, SIDE / max(x1 - x0, y1 - y0))
    size = (max(8, round((x1 - x0) * scale)), max(8, round((y1 - y0) * scale)))

    def crop(picture: Tensor) -> Map:
        part = picture[..., y0:y1, x0:x1].float().cpu().numpy()
        part = np.ascontiguousarray(part.transpose(1, 2, 0) if part.ndim == 3 else part)
        small: Map = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        return small

    allowed = torch.zeros_like(prior)
    bx0, by0, bx1, by1 = _grown(box, BEYOND, w, h)
    allowed[by0:by1, bx0:bx1] = 1
    view = _View.of(crop(encoded.clamp(0, 1)), crop(inverse_depth), crop(allowed) > 0.5)
    ix0, iy0, ix1, iy1 = _grown(box, 0, w, h)
    corners = ((ix0 - x0), (iy0 - y0), (ix1 - x0), (iy1 - y0))
    to_fill = tuple(round(v * scale) for v in corners) if tight else None
    silhouette = _silhouette(view, crop(prior), to_fill)
    wide = cv2.resize(silhouette, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    mask = torch.zeros_like(prior)
    mask[y0:y1, x0:x1] = torch.from_numpy(wide).to(prior)
    return _fine(mask, encoded, scale)


@dataclass(frozen=True)
class _View:
    """What is known of every pixel of a crop (h, w) before the object in it is."""

    colour: npt.NDArray[np.intp]  # which colour of the palette
    likeness: Map  # (palette, palette) how alike two colours are, rows sum to 1
    depth: npt.NDArray[np.intp]  # which of LEVELS x LEVELS: of depth, and of depth over the ground
    allowed: npt.NDArray[np.bool_]  # where the object may be
    across: Map  # cost of an outline between a pixel and the one to its right
    down: Map  # and the one below

    @classmethod
    def of(cls, rgb: Map, inverse_depth: Map, allowed: npt.NDArray[np.bool_]) -> _View:
        lab: Map = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
        colour, likeness = _palette(lab)
        over = inverse_depth - _ground(inverse_depth, allowed)
        level = np.clip(inverse_depth / 1.2 * LEVELS, 0, LEVELS - 1).astype(np.intp)
        height = np.clip((over + 0.6) / 1.2 * LEVELS, 0, LEVELS - 1).astype(np.intp)
        features = np.dstack([lab, DEPTH_EDGE * inverse_depth])
        across, down = (outline_cost(features, axis) for axis in (1, 0))
        return cls(colour, likeness, level * LEVELS + height, allowed, across, down)


def _silhouette(view: _View, prior: Map, to_fill: tuple[int, ...] | None) -> Map:
    """Soft silhouette (h, w), 0..1, found by separating and joining in turns."""
    place = np.clip(_log_odds(prior), -FIRMEST, FIRMEST)
    share = np.where(view.allowed, prior, 0).astype(np.float32)
    joined = share
    where = place
    for turn in range(ROUNDS):
        evidence = where + BY_COLOUR * _by_colour(view, joined) + BY_DEPTH * _by_depth(view, joined)
        if turn and to_fill is not None:
            evidence += UNREACHED * _unreached(to_fill, joined)
        evidence[~view.allowed] = -20
        joined = minimum_cut(evidence, joined, view.across, view.down, STEPS)
        where = BY_PLACE * place
    kept, holes = _main_parts(joined > 0.5, prior)
    whole: Map = np.where(holes, 1, np.maximum(joined, 0.6) * kept).astype(np.float32)
    return whole


def _unreached(box: tuple[int, ...], share: Map) -> Map:
    """1 (h, w) in the strips of the box that the object, which must touch every side, leaves."""
    x0, y0, x1, y1 = box
    out = np.zeros_like(share)
    found = share[y0:y1, x0:x1] > 0.5
    if not found.any():
        return out
    rows, columns = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
    out[y0 : y0 + rows[0], x0:x1] = 1
    out[y0 + rows[-1] + 1 : y1, x0:x1] = 1
    out[y0:y1, x0 : x0 + columns[0]] = 1
    out[y0:y1, x0 + columns[-1] + 1 : x1] = 1
    return out


def _by_colour(view: _View, share: Map) -> Map:
    """Log odds (h, w) of the object by colour, given its present share of each pixel."""
    n = len(view.likeness)
    mine = np.bincount(view.colour.ravel(), share.ravel(), n)
    rest = np.bincount(view.colour.ravel(), (1 - share).ravel(), n)
    mine = view.likeness @ (mine / max(mine.sum(), 1e-6))
    rest = view.likeness @ (rest / max(rest.sum(), 1e-6))
    overall = ((mine + 1e-4) / (mine + rest + 2e-4)).astype(np.float32)
    h, w = share.shape
    rows, columns = np.arange(h)[:, None] // CELL, np.arange(w)[None] // CELL
    shape = (-(-h // CELL), -(-w // CELL), n)
    index = (rows * shape[1] + columns) * n + view.colour
    reach = 2 * max(1, round(NEARBY * max(h, w) / CELL)) + 1

    def nearby(weights: Map | None) -> Map:
        """How many pixels of each colour lie around each cell."""
        each = None if weights is None else weights.ravel()
        counts = np.bincount(index.ravel(), each, math.prod(shape)).reshape(shape)
        window = (reach, reach)
        total = [
            cv2.boxFilter(part, -1, window, normalize=False, borderType=cv2.BORDER_CONSTANT)
            for part in np.moveaxis(counts.astype(np.float32), 2, 0)
        ]
        return np.stack(total)

    believed = 0.05 * (reach * CELL) ** 2
    local = (nearby(share) + believed * overall[:, None, None]) / (nearby(None) + believed)
    return np.clip(_log_odds(local[view.colour, rows, columns]), -FIRMEST, FIRMEST)


def _by_depth(view: _View, share: Map) -> Map:
    """Log odds (h, w) of the object by depth and depth over the ground."""
    n = LEVELS * LEVELS

    def spread(weights: Map) -> Map:
        counts = np.bincount(view.depth.ravel(), weights.ravel(), n).astype(np.float32)
        table: Map = cv2.GaussianBlur(counts.reshape(LEVELS, LEVELS), (0, 0), 1.0)
        return table.ravel() / max(float(table.sum()), 1e-6)

    mine, rest = spread(share), spread(1 - share)
    table = np.log((mine + 1e-3) / (rest + 1e-3))
    return np.clip(table, -FIRMEST, FIRMEST).astype(np.float32)[view.depth]


def _palette(lab: Map) -> tuple[npt.NDArray[np.intp], Map]:
    """Colour of a palette nearest to each pixel (h, w), and how alike its colours are."""
    pixels = lab.reshape(-1, 3) * np.array([0.7, 1, 1], np.float32)
    sample = np.ascontiguousarray(pixels[:: max(1, len(pixels) // SAMPLES)])
    count = min(PALETTE, len(sample))
    cv2.setRNGSeed(1)
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 8, 0)
    _, _, colours = cv2.kmeans(sample, count, None, stop, 1, cv2.KMEANS_PP_CENTERS)
    distance = (colours**2).sum(1) - 2 * pixels @ colours.T
    between = ((colours[:, None] - colours[None]) ** 2).sum(2)
    likeness = np.exp(-between / (2 * ALIKE**2))
    likeness /= likeness.sum(1, keepdims=True)
    return distance.argmin(1).reshape(lab.shape[:2]), likeness


def _ground(inverse_depth: Map, allowed: npt.NDArray[np.bool_]) -> Map:
    """Depth (h, w) that the background has in each row, from both sides of the box."""
    w = inverse_depth.shape[1]
    columns = np.flatnonzero(allowed.any(0))
    left, right = inverse_depth[:, : columns[0]], inverse_depth[:, columns[-1] + 1 :]
    sides = [np.median(side, axis=1) for side in (left, right) if side.shape[1] >= 3]
    if not sides:
        return np.full_like(inverse_depth, np.quantile(inverse_depth, 0.1))
    along = np.linspace(0, 1, w, dtype=np.float32)[None]
    ground: Map = (1 - along) * sides[0][:, None] + along * sides[-1][:, None]
    return ground.astype(np.float32)


def _prior_in_box(m: Tensor, box: Box) -> Tensor:
    """Probability (h, w) of the object, from its place in the box and the depth of its middle."""
    h, w = m.shape
    x, y, bw, bh = box
    # What the frame cuts off goes on beyond it.
    left, top = x - bw / 3 * (x < 2), y - bh / 3 * (y < 2)
    right, bottom = x + bw + bw / 3 * (x + bw > w - 2), y + bh + bh / 3 * (y + bh > h - 2)
    x, y, bw, bh = left, top, right - left, bottom - top
    rows = (torch.arange(h, device=m.device)[:, None] + 0.5 - y - bh / 2) / (bh / 2)
    columns = (torch.arange(w, device=m.device)[None, :] + 0.5 - x - bw / 2) / (bw / 2)
    inside = (rows.abs() <= 1) & (columns.abs() <= 1)
    centre = (rows.abs() ** 3 + columns.abs() ** 3) ** (1 / 3)
    core = m[(centre < 0.6) & inside]
    at_object = core.quantile(0.6) if core.numel() else m.max()
    spread = 0.12 + 0.15 * at_object
    same_depth = torch.exp(-(((m - at_object) / spread) ** 2))
    likely = 0.7 - 0.3 * centre.clamp(0, 1.2) ** 2
    return torch.where(inside, likely * (0.7 + 0.3 * same_depth), 0.02)


def _log_odds(share: Map) -> Map:
    p = np.clip(share, 1e-3, 1 - 1e-3)
    odds: Map = np.log(p / (1 - p)).astype(np.float32)
    return odds


def _main_parts(
    found: npt.NDArray[np.bool_], prior: Map
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """The parts that weigh most in the prior, and the small holes in them."""
    fallback = prior >= 0.5 * prior.max()
    if (found & fallback).sum() < 0.1 * fallback.sum():
        found = fallback
    _, parts = cv2.connectedComponents(found.astype(np.uint8), connectivity=8)
    weight = np.bincount(parts.ravel(), (prior + 0.05).ravel())
    weight[0] = 0
    kept = np.isin(parts, np.flatnonzero(weight >= LEAST_PART * weight.max()))
    _, gaps, stats, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < LARGEST_HOLE * kept.sum()
    small[0] = False
    return kept, small[gaps]


def _fine(mask: Tensor, encoded: Tensor, scale: float) -> Tensor:
    """Lay the edge of ``mask`` (h, w) on the photo's edges."""
    h, w = mask.shape
    radius = max(2, round(max(h, w) / 150), round(2 / scale))
    soft = GuidedFilter(encoded, radius, 1e-4).filter(mask[None])[0]
    soft = ((soft - 0.15) / 0.7).clamp(0, 1)
    if float(soft.max()) > 0.5:
        return soft
    return mask / mask.max()  # finer than the filter: a few pixels


def _grown(box: Box, by: float, width: int, height: int) -> Bounds:
    """Pixel bounds (x0, y0, x1, y1) of ``box`` grown by a share of its size, in the picture."""
    x, y, w, h = box
    dx, dy = max(1.0, w * by), max(1.0, h * by)
    x0, y0 = max(0, int(x - dx)), max(0, int(y - dy))
    x1, y1 = min(width, int(np.ceil(x + w + dx))), min(height, int(np.ceil(y + h + dy)))
    return min(x0, width - 1), min(y0, height - 1), max(x1, x0 + 1), max(y1, y0 + 1)
