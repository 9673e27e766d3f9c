"""Several photos of one size at once: the networks see them together, nothing leaves the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from nightflash.aim import Aim
from nightflash.engine.grey import stays_grey
from nightflash.engine.known import Aimed, Surveyed
from nightflash.engine.networks import Networks
from nightflash.engine.working import LINEAR_LIMIT
from nightflash.fullsize.transfer import transfer_tensor
from nightflash.imaging.colour import encode, in_grey
from nightflash.imaging.resample import working_dimensions
from nightflash.light import Light
from nightflash.models.descriptor import (
    DepthNetwork,
    MainObject,
    SeveralDepths,
    SeveralSubjects,
    SubjectNetwork,
)
from nightflash.scene import DepthSource, Scene, aim_at, survey
from nightflash.settings import Settings


@dataclass(frozen=True)
class Lit:
    """One of several nights.

    Attributes:
        night: (3, H, W) linear.
        scene: What the photo shows, at the working size.
    """

    night: Tensor
    scene: Scene


@torch.no_grad()
def nights(networks: Networks, photos: Tensor, settings: Sequence[Settings]) -> list[Lit]:
    """Make nights of the quality ``fast``, without refinement, of photos that NightFlash aims at.

    Args:
        networks: Those that work; the device is theirs.
        photos: (N, 3, H, W) linear, on the device.
        settings: For each photo; all of one working size and method.

    Raises:
        NightFlashError: A network's file is missing or damaged.
    """
    height, width = photos.shape[2:]
    small = working_dimensions(width, height, settings[0].working_size)
    working = (
        F.interpolate(photos, small[::-1], mode="area") if small != (width, height) else photos
    )
    working = working.clamp(-LINEAR_LIMIT, LINEAR_LIMIT)
    encoded = encode(working.clamp(0, 1))
    sources = networks.depth_sources(settings[0].method)
    depths = _depths(sources[0].network, encoded) if sources else [None] * len(photos)
    finder = networks.subject()
    objects = _main_objects(finder, encoded) if finder else [None] * len(photos)
    detector = networks.load().detector
    made = []
    for number, wanted in enumerate(settings):
        seen_by = _answered(sources, depths[number])
        surveyed = survey(working[number], seen_by, detector)
        scene = aim_at(surveyed, objects[number], Aim(), (width, height), wanted.several)
        light = Aimed(Surveyed(surveyed), scene, False).lit(wanted)
        made.append(Lit(_night(photos[number], scene, light, wanted), scene))
    return made


def _night(photo: Tensor, scene: Scene, light: Light, settings: Settings) -> Tensor:
    if settings.is_daylight:
        return photo.clone()
    night = transfer_tensor(photo, scene.photo, light, iso=settings.iso, seed=settings.seed)
    if not stays_grey(scene.photo, settings):
        return night
    grey = torch.from_numpy(in_grey(night.permute(1, 2, 0).cpu().numpy()))
    return grey.permute(2, 0, 1).to(night)


class _Answered:
    """A network for depth that has seen its picture already."""

    def __init__(self, inverse_depth: Tensor) -> None:
        self._inverse_depth = inverse_depth

    def inverse_depth(self, rgb: Tensor) -> Tensor:
        return self._inverse_depth


def _answered(sources: Sequence[DepthSource], depth: Tensor | None) -> Sequence[DepthSource]:
    """Networks for one photo: what the first says is known, a second is asked where it must."""
    if depth is None:
        return sources
    return (replace(sources[0], network=_Answered(depth)), *sources[1:])


def _depths(network: DepthNetwork, encoded: Tensor) -> Sequence[Tensor]:
    if isinstance(network, SeveralDepths):
        return list(network.inverse_depths(encoded))
    return [network.inverse_depth(one) for one in encoded]


def _main_objects(network: SubjectNetwork, encoded: Tensor) -> Sequence[MainObject]:
    if isinstance(network, SeveralSubjects):
        return network.main_objects(encoded)
    return [network.main_object(one) for one in encoded]
