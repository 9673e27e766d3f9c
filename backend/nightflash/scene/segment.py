"""From a box or a rough prior to a soft mask of the object in it, by colour and depth.

Source: GrabCut (Rother, Kolmogorov, Blake 2004), started from a depth prior; edges softened with
the guided filter (He, Sun, Tang 2013).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nightflash.guided_filter import GuidedFilter

Box = tuple[float, float, float, float]
Mask = npt.NDArray[np.float32]
SEGMENT_SIDE = 320  # long side of the crop in which colours are clustered
ITERATIONS = 4


def object_in_box(encoded: Tensor, inverse_depth: Tensor, box: Box) -> Tensor:
    """Find the object that fills ``box``.

    Args:
        encoded: (3, h, w) encoded 0..1.
        inverse_depth: (h, w) relative inverse depth, 0..1.
        box: (x, y, w, h) in pixels, inside the picture.

    Returns:
        (h, w) soft mask 0..1; never empty.
    """
    return object_from_prior(encoded, _prior_in_box(inverse_depth, box), box)


def object_from_prior(encoded: Tensor, prior: Tensor, box: Box) -> Tensor:
    """Refine ``prior`` (h, w; 0..1, probability of the object) inside ``box`` to a soft mask."""
    h, w = prior.shape
    x0, y0, x1, y1 = _grown(box, 0.2, w, h)
    picture = encoded[:, y0:y1, x0:x1].clamp(0, 1).permute(1, 2, 0).cpu().numpy()
    rough = prior[y0:y1, x0:x1].cpu().numpy()
    allowed = np.zeros((h, w), np.bool_)
    bx0, by0, bx1, by1 = _grown(box, 0.02, w, h)
    allowed[by0:by1, bx0:bx1] = True
    cut = _grab_cut(picture, rough, allowed[y0:y1, x0:x1])
    mask = torch.zeros_like(prior)
    mask[y0:y1, x0:x1] = torch.from_numpy(cut).to(prior)
    soft = GuidedFilter(encoded, max(2, round(max(h, w) / 150)), 1e-4).filter(mask[None])[0]
    return ((soft - 0.15) / 0.7).clamp(0, 1)


def _prior_in_box(m: Tensor, box: Box) -> Tensor:
    h, w = m.shape
    x, y, bw, bh = box
    rows = (torch.arange(h, device=m.device)[:, None] + 0.5 - y - bh / 2) / (bh / 2)
    columns = (torch.arange(w, device=m.device)[None, :] + 0.5 - x - bw / 2) / (bw / 2)
    centre = torch.exp(-1.5 * (rows**2 + columns**2))
    inside = (rows.abs() <= 1) & (columns.abs() <= 1)
    core = m[(centre > 0.4) & inside]
    at_object = core.quantile(0.6) if core.numel() else m.max()
    spread = 0.12 + 0.15 * at_object
    same_depth = torch.exp(-(((m - at_object) / spread) ** 2))
    return torch.where(inside, (0.15 + 0.85 * same_depth) * (0.35 + 0.65 * centre), 0.0)


def _grab_cut(
    picture: npt.NDArray[np.float32], prior: Mask, allowed: npt.NDArray[np.bool_]
) -> Mask:
    """Binary mask (h, w) as 0.0 / 1.0, inside ``allowed``."""
    h, w = prior.shape
    scale = min(1.0, SEGMENT_SIDE / max(h, w))
    size = (max(8, round(w * scale)), max(8, round(h * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    rough = cv2.resize(prior, size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(allowed.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    labels = np.full(rough.shape, cv2.GC_PR_BGD, np.uint8)
    labels[rough > 0.45] = cv2.GC_PR_FGD
    labels[rough > 0.9] = cv2.GC_FGD
    labels[~inside] = cv2.GC_BGD
    fallback = (rough > 0.45) & inside
    if not fallback.any():
        fallback = inside
    found = fallback
    if (labels == cv2.GC_BGD).any() and np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).any():
        cv2.setRNGSeed(1)
        eight_bit = np.round(small * 255).astype(np.uint8)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(eight_bit, labels, None, *models, ITERATIONS, cv2.GC_INIT_WITH_MASK)
        found = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    found = _main_parts(found, rough)
    if found.sum() < 0.1 * fallback.sum():
        found = fallback
    mask: Mask = cv2.resize(found.astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR)
    return (mask > 0.5).astype(np.float32)


def _main_parts(found: npt.NDArray[np.bool_], prior: Mask) -> npt.NDArray[np.bool_]:
    """Keep the parts that weigh most in the prior; close small holes."""
    count, parts = cv2.connectedComponents(found.astype(np.uint8), connectivity=8)
    if count <= 1:
        return found
    weight = np.bincount(parts.ravel(), (prior + 0.05).ravel(), count)
    weight[0] = 0
    kept = np.isin(parts, np.flatnonzero(weight >= 0.15 * weight.max()))
    holes, labels, stats, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8))
    small = [i for i in range(1, holes) if stats[i, cv2.CC_STAT_AREA] < 0.01 * kept.sum()]
    result: npt.NDArray[np.bool_] = kept | np.isin(labels, small)
    return result


def _grown(box: Box, by: float, width: int, height: int) -> tuple[int, int, int, int]:
    """Pixel bounds (x0, y0, x1, y1) of ``box`` grown by a share of its size, in the picture."""
    x, y, w, h = box
    dx, dy = max(1.0, w * by), max(1.0, h * by)
    x0, y0 = max(0, int(x - dx)), max(0, int(y - dy))
    x1, y1 = min(width, int(np.ceil(x + w + dx))), min(height, int(np.ceil(y + h + dy)))
    return min(x0, width - 1), min(y0, height - 1), max(x1, x0 + 1), max(y1, y0 + 1)
