"""Flash and night in colour and linear light: photo x (ambient + flash x beam x fall-off).

Sources: the inverse square law on relative inverse depth ``m = s / distance + t`` (MiDaS,
Ranftl 2020); figures for beam and exposure measured on pairs of ambient and flash photos.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nightflash.colour import light_of_temperature, luminance
from nightflash.guided_filter import GuidedFilter, box_mean
from nightflash.light.shading import facing_stops, sun_stops
from nightflash.scene.scene import Scene
from nightflash.settings import Settings

BEAM_STOPS = 1.35  # measured loss of real flashes from the centre to the corner
DARKEST_STOPS = -16.0  # where the flash is as good as absent; keeps its logarithm finite
MID_GREY = 0.2  # linear luminance that a flash's metering aims at
METERING = 0.3  # share of the distance to MID_GREY, in stops, that the metering corrects
METERING_STOPS = (-0.5, 0.7)  # most that the metering moves the subject from its daylight value
RELIEF_STOPS = 0.75  # most by which the subject's own relief changes its light
NEAR_STOPS = 0.4  # most by which what is nearer than the subject outshines it
WIDE_SUBJECT = 0.5  # share of the diagonal from which a subject takes the whole beam
ZOOM = 0.5  # how the beam follows the size of a smaller subject
NARROWEST_BEAM = 0.6  # against the whole beam; zoom heads of flashes do no better
FACING = 0.7  # share of Lambert's cosine believed, since normals come from estimated depth
KNEE = 0.7  # linear value at which the shoulder begins


@dataclass(frozen=True)
class FlashLight:
    """What falls on the scene at night.

    Attributes:
        maps: (1, h, w) flash light in stops against the subject's daylight; (0, h, w) when the
            flash is off.
        target: (3, h, w) linear, the night picture with its dark parts softened: what the
            refinement's pixels approach.
        ambient: Linear RGB factors of the night's own light against daylight.
        flash: Linear RGB factors of the flash where ``maps`` is 0.
        purkinje: 0..1, strength of the look of human night vision.
        pallor: 0..1, share of the colour that the flash does not bring out.
    """

    maps: Tensor
    target: Tensor
    ambient: Tensor
    flash: Tensor
    purkinje: float
    pallor: float

    def shine(self, photo: Tensor, maps: Tensor) -> Tensor:
        """Linear night picture (3, H, W) of linear ``photo`` (3, H, W) and maps of its size."""
        gain = self.ambient.expand(3, *photo.shape[1:])
        if len(maps):
            flash = self.flash * torch.exp2(maps.clamp(DARKEST_STOPS, 4.0))
            lit = torch.lerp(photo, luminance(photo)[None], self.pallor) if self.pallor else photo
            night = shoulder(photo * gain + lit * flash)
        else:
            night = photo * gain
        return _purkinje(night, self.purkinje) if self.purkinje else night


def flash_light(scene: Scene, settings: Settings) -> FlashLight:
    """Light ``scene`` as ``settings`` say."""
    photo = scene.photo
    ambient = _rgb(settings.ambient_temperature, settings.nightness, photo)
    ambient = ambient * settings.ambient_gain
    flash = _rgb(settings.flash_temperature, 1.0, photo)
    exposure = _exposure(scene)
    bare = FlashLight(
        maps=_flash_stops(scene, settings)[None] if settings.flash else photo[:0],
        target=photo,
        ambient=ambient,
        flash=flash * 2.0 ** (exposure + settings.flash_ev),
        purkinje=settings.purkinje,
        pallor=1 - 2.0 ** (-max(exposure, 0.0) / 3),  # lifted shadows keep their OKLab chroma
    )
    softened = _soften(photo, bare, settings.softness)
    return replace(bare, target=bare.shine(softened, bare.maps))


def _flash_stops(scene: Scene, settings: Settings) -> Tensor:
    """Flash light (h, w) in stops against its value at the subject."""
    stops = _distance_stops(scene) * settings.falloff + _beam_stops(scene, settings.beam)
    stops = stops - settings.emphasis * (1 - _surroundings(scene.subject))
    stops = stops + FACING * facing_stops(scene.inverse_depth)
    if settings.flatten:
        stops = stops + settings.flatten * sun_stops(scene.photo, scene.inverse_depth)
    stops = stops - weighted_median(stops, scene.subject)
    stops = torch.lerp(stops, RELIEF_STOPS * torch.tanh(stops / RELIEF_STOPS), scene.subject)
    over = NEAR_STOPS * (1 - torch.exp(-stops.clamp(min=0) / NEAR_STOPS))
    return torch.where(stops > 0, over, stops.clamp(min=DARKEST_STOPS))


def _distance_stops(scene: Scene) -> Tensor:
    """Inverse square law: (h, w) stops against the subject's distance."""
    m = scene.inverse_depth.clamp(min=0)
    at_subject = weighted_median(m, scene.subject).clamp(min=0.05)
    return 2 * torch.log2((m / at_subject).clamp(min=2 ** (DARKEST_STOPS / 2)))


def _beam_stops(scene: Scene, width: float) -> Tensor:
    """Beam aimed at the subject: (h, w) stops against its centre; narrower on a small subject.

    Falls with the square of the angle at first and leaves spill far out, as reflectors do.
    """
    h, w = scene.subject.shape
    rows = torch.arange(h, device=scene.subject.device)[:, None] + 0.5
    columns = torch.arange(w, device=scene.subject.device)[None, :] + 0.5
    weight = scene.subject / scene.subject.sum().clamp(min=1e-6)
    y, x = (rows * weight).sum(), (columns * weight).sum()
    squared = (rows - y) ** 2 + (columns - x) ** 2
    _, _, bw, bh = scene.working_box
    zoom = (math.hypot(bw, bh) / math.hypot(w, h) / WIDE_SUBJECT) ** ZOOM
    reach = width * min(max(zoom, NARROWEST_BEAM), 1.0) * math.hypot(h, w) / 2
    return -torch.log2(1 + (2**BEAM_STOPS - 1) * squared / (reach * reach))


def _surroundings(subject: Tensor) -> Tensor:
    """Nearness to the subject (h, w): 1 on it, falling off smoothly around it."""
    h, w = subject.shape
    radius = max(1, round(math.hypot(h, w) / 16))
    around = box_mean(box_mean(subject[None], radius), radius)[0]
    return torch.maximum(subject, (2 * around).clamp(max=1))


def _exposure(scene: Scene) -> float:
    """Automatic exposure of the subject in stops against daylight."""
    y = float(weighted_median(luminance(scene.photo), scene.subject))
    wanted = METERING * math.log2(MID_GREY / max(y, 1e-4))
    return min(max(wanted, METERING_STOPS[0]), METERING_STOPS[1])


def _soften(photo: Tensor, light: FlashLight, softness: float) -> Tensor:
    """Smooth texture, not outlines, where the night is dark; (3, h, w) linear."""
    if softness == 0:
        return photo
    gain = luminance(light.shine(torch.full_like(photo, 0.2), light.maps)) / 0.2
    darkness = ((-torch.log2(gain.clamp(min=1e-6)) - 1) / 3).clamp(0, 1)
    radius = max(2, round(math.hypot(*photo.shape[1:]) / 90))
    smooth = GuidedFilter(photo.clamp(min=0).sqrt(), radius, 0.02).filter(photo)
    return torch.lerp(photo, smooth, softness * darkness)


def shoulder(linear: Tensor) -> Tensor:
    """Roll values above KNEE off towards 1; all channels of a pixel by one factor, hue kept."""
    peak = linear.amax(0, keepdim=True)
    over = ((peak - KNEE) / (1 - KNEE)).clamp(min=0)
    rolled = KNEE + (1 - KNEE) * (1 - torch.exp(-over))
    return torch.where(peak > KNEE, linear * (rolled / peak.clamp(min=KNEE)), linear)


def weighted_median(values: Tensor, weights: Tensor) -> Tensor:
    """Median of ``values`` weighted by ``weights`` (same shape, >= 0); scalar tensor."""
    flat, order = values.flatten().sort()
    total = weights.flatten()[order].double().cumsum(0)
    index = torch.searchsorted(total, total[-1:] / 2).clamp(max=flat.numel() - 1)
    return flat[index[0]]


def _rgb(kelvin: float, strength: float, like: Tensor) -> Tensor:
    colour = torch.tensor(light_of_temperature(kelvin), dtype=like.dtype, device=like.device)
    return colour.pow(strength)[:, None, None]


def _purkinje(night: Tensor, strength: float) -> Tensor:
    """Rod vision below about 0.02: colour fades and turns blue."""
    y = luminance(night)
    rods = strength * (1 - (y / 0.03).clamp(0, 1)) ** 2
    blue = night.new_tensor((0.75, 0.95, 1.45))[:, None, None] * y
    return torch.lerp(night, blue, rods)
