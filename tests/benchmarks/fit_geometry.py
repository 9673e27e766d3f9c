"""Fits the weights of the rules that need no network, and says how well they do.

    python -m tests.benchmarks.fit_geometry

Teachers: the small depth network and detector on the daylight photos of the shared folder, and the
truth of the rendered tuning scenes. Every second photo is held back; figures are of those.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from nightflash import Engine, Settings
from nightflash.imaging.colour import encode
from nightflash.photo.reading import read_photo
from nightflash.scene.depth import scaled
from nightflash.scene.geometry import (
    DEPTH_WEIGHTS,
    FARTHEST,
    SALIENCE_WEIGHTS,
    depth_cues,
    plane_depth,
    salience_cues,
)
from nightflash.scene.open_air import sky_mask
from torch import Tensor
from training.scenes import TUNING_SEEDS, relative_inverse_depth, render_scene

RIDGE = 1e-3
OBJECT_SHARES = (0.01, 0.7)  # of the picture, between which a mask teaches


@dataclass(frozen=True)
class Sample:
    """Cues with what they should give: (n, h, w), (m, h, w), (h, w) and (h, w) or None."""

    depth_cues: Tensor
    salience_cues: Tensor
    depth: Tensor
    mask: Tensor | None


def sample(encoded: Tensor, depth: Tensor, mask: Tensor | None) -> Sample:
    """Cues of a photo (3, h, w) with its inverse depth (h, w) and main object (h, w)."""
    sky = sky_mask(encoded)
    of_depth = torch.stack(list(depth_cues(encoded, sky).values()))
    near = plane_depth(encoded)
    of_salience = torch.stack(list(salience_cues(encoded, sky, near).values()))
    size = of_depth.shape[1:]
    small = [
        None if m is None else F.interpolate(m[None, None], size, mode="area")[0, 0]
        for m in (depth, mask)
    ]
    assert small[0] is not None
    usable = mask is not None and OBJECT_SHARES[0] < float(mask.mean()) < OBJECT_SHARES[1]
    return Sample(of_depth, of_salience, small[0], small[1] if usable else None)


def photos(shared: Path) -> Iterator[Sample]:
    """Photos as the small networks see them."""
    engine = Engine("lite", shared / "weights")
    for folder in ("daylight", "unlabelled"):
        for path in sorted((shared / "photos" / folder).glob("*.jpg")):
            scene = engine.analyse(read_photo(path), Settings())
            mask = scene.subject if "detected" in scene.subject_from else None
            yield sample(encode(scene.photo.clamp(0, 1)), scene.inverse_depth, mask)


def scenes() -> Iterator[Sample]:
    """Rendered scenes with their truth."""
    for seed in TUNING_SEEDS:
        scene = render_scene(seed)
        raw = relative_inverse_depth(scene, np.random.default_rng(seed))
        sky = torch.from_numpy(np.isinf(scene.distance).astype(np.float32))
        day = torch.from_numpy(scene.day).permute(2, 0, 1).contiguous()
        depth = scaled(torch.from_numpy(np.ascontiguousarray(raw)), sky)
        yield sample(encode(day.clamp(0, 1)), depth, torch.from_numpy(scene.mask))


def ridge(samples: list[Sample]) -> Tensor:
    """Weights of the cues of depth: least squares, every picture alike."""
    n = len(DEPTH_WEIGHTS)
    squares, products = torch.zeros(n, n).double(), torch.zeros(n).double()
    for s in samples:
        x, y = s.depth_cues.flatten(1).double(), s.depth.flatten().double().clamp(FARTHEST, 1)
        squares += x @ x.T / len(y) / len(samples)
        products += x @ y / len(y) / len(samples)
    return torch.linalg.solve(squares + RIDGE * torch.eye(n).double(), products).float()


def logistic(samples: list[Sample], thin: int = 3, rounds: int = 12) -> Tensor:
    """Weights of the cues of salience: Newton's method, object and rest of each picture alike."""
    cues, truth, weight = [], [], []
    for s in samples:
        if s.mask is None:
            continue
        y = s.mask.flatten()[::thin].double()
        cues.append(s.salience_cues.flatten(1).T[::thin].double())
        truth.append(y)
        weight.append(y / y.mean() / len(y) / 2 + (1 - y) / (1 - y).mean() / len(y) / 2)
    x, y, w = torch.cat(cues), torch.cat(truth), torch.cat(weight) / len(weight)
    found = torch.zeros(x.shape[1]).double()
    for _ in range(rounds):
        p = torch.sigmoid(x @ found)
        slope = x.T @ (w * (p - y)) + RIDGE * found
        curvature = (x * (w * p * (1 - p))[:, None]).T @ x + RIDGE * torch.eye(len(found)).double()
        found = found - torch.linalg.solve(curvature, slope)
    return found.float()


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Spearman's correlation of two pictures."""
    ranks = torch.stack([v.flatten().argsort().argsort().double() for v in (a, b)])
    return float(torch.corrcoef(ranks)[0, 1])


def main() -> None:
    """Fit and report."""
    shared = Path(
        os.environ.get("NIGHTFLASH_SHARED", Path(__file__).resolve().parents[3] / "shared")
    )
    seen = list(photos(shared))
    taught = seen[::2] + list(scenes())
    depth, salience = ridge(taught), logistic(taught)
    for name, value in zip(DEPTH_WEIGHTS, depth, strict=True):
        print(f"depth     {name:24} {value:6.2f}")
    for name, value in zip(SALIENCE_WEIGHTS, salience, strict=True):
        print(f"salience  {name:24} {value:6.2f}")
    figures = [
        rank_correlation((s.depth_cues * depth[:, None, None]).sum(0), s.depth) for s in seen[1::2]
    ]
    print(f"rank correlation of depth, held-back photos, median: {np.median(figures):.3f}")


if __name__ == "__main__":
    main()
