"""What the scene network sees in one step: photos, objects on other photos, rendered scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from training.augment import other_light, uniform, view
from training.bank import Rendered
from training.photos import Example

T = TypeVar("T")

SIZES = ((224, 288), (224, 288), (288, 224), (256, 256), (224, 320))
HALF_KNOWN = 0.3  # of the object's share before: with less of it in view the mask tells nothing


@dataclass(frozen=True)
class Batch:
    """Pictures and what is known of them; the photos come first.

    Attributes:
        rgb: (N, 3, H, W) encoded, as the network shall see them.
        clean: (P, 3, H, W) the photos among them, as the teacher shall see them.
        inverse_depth: (N - P, H/2, W/2), of the rendered ones, relative.
        mask: (N, H/2, W/2), 0..1.
        known: (N,) whether the mask is known.
    """

    rgb: Tensor
    clean: Tensor
    inverse_depth: Tensor
    mask: Tensor
    known: Tensor


class Batches:
    """Draws batches; the same step gives the same batch.

    Args:
        photos: Examples to learn from.
        scenes: Rendered ones.
        plausible: Those of them that show what may well be.
        seed: Of the draw.
    """

    def __init__(
        self,
        photos: Sequence[Example],
        scenes: Sequence[Rendered],
        plausible: Sequence[Rendered],
        seed: int,
    ) -> None:
        self._photos, self._seed = photos, seed
        self._scenes, self._plausible = scenes, plausible
        self._known = [p for p in photos if p.mask is not None]
        self._objects = [p for p in self._known if p.mask is not None and bool(p.mask.any())]
        self._empty = [p for p in self._known if p.mask is not None and not bool(p.mask.any())]

    def at(self, step: int, counts: Sequence[int]) -> Batch:
        """The batch of a step.

        Args:
            step: The same gives the same batch.
            counts: How many photos, photos of known objects, objects on other photos, rendered
                scenes, and plausible ones.
        """
        g = Generator().manual_seed(self._seed * 1_000_003 + step)
        size = SIZES[int(torch.randint(len(SIZES), (), generator=g))]
        any_, known, pasted, rendered, plausible = counts
        views = [self._seen(_one(self._photos, g), size, g) for _ in range(any_)]
        views += [self._seen(_one(self._known, g), size, g) for _ in range(known)]
        views += [
            self._seen(paste(_one(self._objects, g), _one(self._empty, g), g), size, g)
            for _ in range(pasted)
        ]
        clean = torch.stack([rgb for rgb, _, _ in views])
        depths = []
        for kind in [self._scenes] * rendered + [self._plausible] * plausible:
            rgb, depth, mask = self._rendered(_one(kind, g), size, g)
            views.append((rgb, mask, True))
            depths.append(depth)
        mask = F.avg_pool2d(torch.stack([mask for _, mask, _ in views])[:, None], 2)[:, 0]
        return Batch(
            rgb=other_light(torch.stack([rgb for rgb, _, _ in views]), g),
            clean=clean,
            inverse_depth=F.avg_pool2d(torch.stack(depths)[:, None], 2)[:, 0],
            mask=mask.clamp(0, 1),
            known=torch.tensor([known for _, _, known in views]),
        )

    def _seen(
        self, example: Example, size: tuple[int, int], g: Generator
    ) -> tuple[Tensor, Tensor, bool]:
        mask = example.mask if example.mask is not None else torch.zeros(example.rgb.shape[1:])
        both = torch.cat((example.rgb.float(), mask[None].float())) / 255
        part = view(both, size, 0.55, g)
        before, after = float(both[3].mean()), float(part[3].mean())
        known = example.mask is not None and (before == 0 or after >= HALF_KNOWN * before)
        return part[:3], part[3], known

    def _rendered(
        self, scene: Rendered, size: tuple[int, int], g: Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        depth = scene.inverse_depth.float()[None]
        both = torch.cat((scene.rgb.float() / 255, scene.mask.float()[None] / 255, depth))
        part = view(both, size, 0.7, g)
        return part[:3], part[4], part[3]


def _one(of: Sequence[T], g: Generator) -> T:
    return of[int(torch.randint(len(of), (), generator=g))]


def paste(source: Example, onto: Example, g: Generator) -> Example:
    """Cut an object out of one photo and put it into another, somewhere about the middle."""
    assert source.mask is not None
    rows, columns = (source.mask > 32).any(1).nonzero(), (source.mask > 32).any(0).nonzero()
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    x0, x1 = int(columns[0]), int(columns[-1]) + 1
    both = torch.cat((source.rgb.float(), source.mask[None].float()))[:, y0:y1, x0:x1] / 255
    ground = onto.rgb.float() / 255
    h, w = ground.shape[1:]
    scale = uniform(0.25, 0.8, g) * min(h / (y1 - y0), w / (x1 - x0))
    tall, wide = max(8, round((y1 - y0) * scale)), max(8, round((x1 - x0) * scale))
    cut = F.interpolate(both[None], (tall, wide), mode="bilinear", antialias=True)[0]
    if uniform(0, 1, g) < 0.5:
        cut = cut.flip(2)
    top = round(uniform(0.15, 0.95, g) * (h - tall))
    left = round(uniform(0.05, 0.95, g) * (w - wide))
    # Half of the way to the brightness of where it stands now.
    there = ground[:, top : top + tall, left : left + wide]
    gain = (float(there.mean()) / max(float(cut[:3].mean()), 0.02)) ** uniform(0, 0.6, g)
    alpha = F.avg_pool2d(cut[3][None], 3, 1, 1, count_include_pad=False)[0]
    mask = torch.zeros(h, w)
    mask[top : top + tall, left : left + wide] = alpha
    rgb = ground.clone()
    rgb[:, top : top + tall, left : left + wide] = torch.lerp(
        there, (cut[:3] * gain).clamp(0, 1), alpha
    )
    as_bytes = [(t * 255).round().to(torch.uint8) for t in (rgb, mask)]
    return Example(f"{source.name} on {onto.name}", as_bytes[0], as_bytes[1])
