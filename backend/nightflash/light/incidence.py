"""How the flash meets a scene, whatever its settings: everything about light that costs time.

A slider then moves only sums of these maps, in milliseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from nightflash.imaging.colour import luminance
from nightflash.imaging.guided_filter import box_mean
from nightflash.light.bracket import AT_CAMERA, FOCAL_LENGTH, Flash, shadow_stops
from nightflash.light.enclosure import thrown_back
from nightflash.light.lamps import lamps
from nightflash.light.metering import Meter
from nightflash.light.shading import facing_stops, sun_stops
from nightflash.scene.scene import Scene

DARKEST_STOPS = -16.0  # where the flash is as good as absent; keeps its logarithm finite
MID_GREY = 0.2  # linear luminance that a flash's metering aims at
METERING = 0.3  # share of the distance to MID_GREY, in stops, that the metering corrects
METERING_STOPS = (-0.5, 0.7)  # most that the metering moves the subject from its daylight value
WIDE_SUBJECT = 0.5  # share of the diagonal from which a subject takes the whole beam
ZOOM = 0.5  # how the beam follows the size of a smaller subject
NARROWEST_BEAM = 0.6  # against the whole beam; zoom heads of flashes do no better
FARTHEST_SUBJECT = 0.05  # least relative inverse depth that a subject is believed to have
FARTHEST_METRES = 100.0  # the same of metric depth
DISTANCE = 0.75  # share of the inverse square law's stops; BEAM_STOPS, measured, has the rest
SUBJECT = 0.01  # least value of the soft mask that counts as subject where a median is taken


@dataclass(frozen=True)
class Incidence:
    """The flash on the surfaces of one scene; maps are (h, w).

    Attributes:
        distance: DISTANCE of the inverse square law, stops against the subject.
        facing: Lambert's cosine towards the flash, stops, at most 0.
        shadow: Stops that the subject's own shadow takes; None where the flash is at the lens.
        sun: Stops that even out broad sun and shadow.
        surroundings: Nearness to the subject, 1 on it.
        off_axis: Squared distance from the beam's axis against that of the picture's corner, with
            the beam as wide as its zoom makes it.
        thrown_back: Light by way of other surfaces, against all that falls on the subject.
        exposure: Automatic exposure of the subject, stops against daylight.
        meter: Of what lies around the subject.
        lamps: 0..1, where lamps burn in the photo; None where none does.
    """

    distance: Tensor
    facing: Tensor
    shadow: Tensor | None
    sun: Tensor
    surroundings: Tensor
    off_axis: Tensor
    thrown_back: float
    exposure: float
    meter: Meter
    lamps: Tensor | None


def incidence(scene: Scene, flash: Flash = AT_CAMERA) -> Incidence:
    """Work out how a flash, aimed at the subject, meets ``scene``."""
    at_subject = subject_median(scene.inverse_depth.clamp(min=0), scene.subject)
    farthest = FARTHEST_SUBJECT if scene.metres is None else scene.metres / FARTHEST_METRES
    at_subject = at_subject.clamp(min=farthest)
    return Incidence(
        distance=_distance_stops(scene, at_subject),
        facing=facing_stops(scene.inverse_depth, flash, float(at_subject)),
        shadow=shadow_stops(scene.inverse_depth, scene.subject, flash, float(at_subject)),
        sun=sun_stops(scene.photo, scene.inverse_depth),
        surroundings=_surroundings(scene.subject),
        off_axis=_off_axis(scene),
        thrown_back=thrown_back(scene, at_subject),
        exposure=_exposure(scene),
        meter=Meter.of(scene, at_subject),
        lamps=lamps(scene.photo),
    )


def _distance_stops(scene: Scene, at_subject: Tensor) -> Tensor:
    """By the true ratio of distances where depth is metric, else with zero where it is guessed."""
    m = scene.inverse_depth.clamp(min=0)
    power = 2 * DISTANCE
    stops = power * torch.log2((m / at_subject).clamp(min=2 ** (DARKEST_STOPS / power)))
    if scene.metres is None:
        return stops
    aslant = DISTANCE * _aslant_stops(scene.subject)
    return stops - (aslant - subject_median(aslant, scene.subject))


def _aslant_stops(like: Tensor) -> Tensor:
    """Stops (h, w) of the law where rays are longer than the depth, which lies along the axis."""
    h, w = like.shape
    focal = FOCAL_LENGTH * math.hypot(h, w)
    y = torch.arange(h, device=like.device)[:, None] + 0.5 - h / 2
    x = torch.arange(w, device=like.device)[None, :] + 0.5 - w / 2
    return torch.log2(1 + (x * x + y * y) / (focal * focal))


def _off_axis(scene: Scene) -> Tensor:
    """The beam is narrower on a small subject."""
    h, w = scene.subject.shape
    rows = torch.arange(h, device=scene.subject.device)[:, None] + 0.5
    columns = torch.arange(w, device=scene.subject.device)[None, :] + 0.5
    weight = scene.subject / scene.subject.sum().clamp(min=1e-6)
    y, x = (rows * weight).sum(), (columns * weight).sum()
    _, _, bw, bh = scene.working_box
    zoom = (math.hypot(bw, bh) / math.hypot(w, h) / WIDE_SUBJECT) ** ZOOM
    reach = min(max(zoom, NARROWEST_BEAM), 1.0) * math.hypot(h, w) / 2
    squared: Tensor = ((rows - y) ** 2 + (columns - x) ** 2) / (reach * reach)
    return squared


def _surroundings(subject: Tensor) -> Tensor:
    """Nearness to the subject (h, w): 1 on it, falling off smoothly around it."""
    h, w = subject.shape
    radius = max(1, round(math.hypot(h, w) / 16))
    around = box_mean(box_mean(subject[None], radius), radius)[0]
    return torch.maximum(subject, (2 * around).clamp(max=1))


def _exposure(scene: Scene) -> float:
    y = float(subject_median(luminance(scene.photo), scene.subject))
    wanted = METERING * math.log2(MID_GREY / max(y, 1e-4))
    return min(max(wanted, METERING_STOPS[0]), METERING_STOPS[1])


def subject_median(values: Tensor, subject: Tensor) -> Tensor:
    """Median of ``values`` (h, w) weighted by the soft mask ``subject``; scalar tensor."""
    inside = subject > SUBJECT
    if not inside.any():
        return weighted_median(values, subject)
    return weighted_median(values[inside], subject[inside])


def weighted_median(values: Tensor, weights: Tensor) -> Tensor:
    """Median of ``values`` weighted by ``weights`` (same shape, >= 0); scalar tensor."""
    flat, order = values.flatten().sort()
    total = weights.flatten()[order].double().cumsum(0)
    index = torch.searchsorted(total, total[-1:] / 2).clamp(max=flat.numel() - 1)
    return flat[index[0]]
