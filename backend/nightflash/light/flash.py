"""Flash and night in colour and linear light: photo x (ambient + flash x beam x fall-off).

Sources: the inverse square law on relative inverse depth ``m = s / distance + t`` (MiDaS,
Ranftl 2020); figures for beam and exposure measured on pairs of ambient and flash photos.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from nightflash.imaging.colour import light_of_temperature, luminance
from nightflash.imaging.guided_filter import GuidedFilter
from nightflash.light.incidence import DARKEST_STOPS, Incidence, subject_median
from nightflash.scene.scene import Scene
from nightflash.settings import Settings

BEAM_STOPS = 1.35  # measured loss of real flashes from the centre to the corner
RELIEF_STOPS = 0.75  # most by which the subject's own relief changes its light
NEAR_STOPS = 0.4  # most by which what is nearer than the subject outshines it
BESIDE_STOPS = 0.5  # by which what stands beside the subject is lit less
FACING = 0.9  # share of Lambert's cosine believed, since normals come from estimated depth
KNEE = 0.7  # linear value at which the shoulder begins


@dataclass(frozen=True)
class FlashLight:
    """What falls on the scene at night.

    Attributes:
        photo: (3, h, w) linear, the scene by day.
        maps: (K, h, w): flash light in stops against the subject's daylight and, where lamps burn
            in the photo, 0..1 how far they light a place; (0, h, w) without flash and lamps.
        ambient: Linear RGB factors of the night's own light against daylight.
        flash: Linear RGB factors of the flash where ``maps`` is 0.
        purkinje: 0..1, strength of the look of human night vision.
        pallor: 0..1, share of the colour that the flash does not bring out.
        softness: 0..1, how soft the target's dark parts are.
    """

    photo: Tensor
    maps: Tensor
    ambient: Tensor
    flash: Tensor
    purkinje: float = 0.0
    pallor: float = 0.0
    softness: float = 0.0

    @cached_property
    def target(self) -> Tensor:
        """(3, h, w) linear night with its dark parts softened, for the refinement to approach."""
        return self.shine(_softened(self), self.maps)

    def shine(self, photo: Tensor, maps: Tensor) -> Tensor:
        """Linear night picture (3, H, W) of linear ``photo`` (3, H, W) and maps of its size."""
        if not len(maps):
            return self.unlit(photo)
        flash = self.flash * torch.exp2(maps[:1].clamp(DARKEST_STOPS, 4.0))
        ambient = self.ambient
        if len(maps) > 1:
            ambient = torch.maximum(ambient, maps[1:].clamp(0, 1))
        lit = torch.lerp(photo, luminance(photo)[None], self.pallor) if self.pallor else photo
        night = shoulder(photo * ambient + lit * flash)
        return _purkinje(night, self.purkinje) if self.purkinje else night

    def unlit(self, photo: Tensor) -> Tensor:
        """Linear night picture (3, H, W) of ``photo`` (3, H, W) without the flash."""
        night = photo * self.ambient
        return _purkinje(night, self.purkinje) if self.purkinje else night


def flash_light(scene: Scene, incidence: Incidence, settings: Settings) -> FlashLight:
    """Light ``scene``, which the flash meets as ``incidence`` says, as ``settings`` say."""
    photo = scene.photo
    ambient = _rgb(settings.ambient_temperature, settings.nightness, photo)
    flash = _rgb(settings.flash_temperature, 1.0, photo)
    flash = flash * 2.0 ** (incidence.exposure + settings.flash_ev)
    maps = photo[:0]
    if settings.flash:
        stops = _flash_stops(scene.subject, incidence, settings)
        if settings.night:
            taken = incidence.meter.taken(stops, float(luminance(flash.expand(3, 1, 1))))
            stops = stops - settings.night * taken
        maps = stops[None]
    if incidence.lamps is not None and settings.nightness:
        burning = settings.nightness * incidence.lamps[None]
        maps = torch.cat((maps if len(maps) else torch.full_like(burning, DARKEST_STOPS), burning))
    return FlashLight(
        photo=photo,
        maps=maps,
        ambient=ambient * settings.ambient_gain,
        flash=flash,
        purkinje=settings.purkinje,
        # Lifted shadows keep their OKLab chroma.
        pallor=1 - 2.0 ** (-max(incidence.exposure, 0.0) / 3),
        softness=settings.softness,
    )


def _flash_stops(subject: Tensor, incidence: Incidence, settings: Settings) -> Tensor:
    """Flash light (h, w) in stops against its value at the subject."""
    stops = incidence.distance * settings.falloff + _beam_stops(incidence, settings.beam)
    stops = stops - BESIDE_STOPS * (1 - incidence.surroundings) + FACING * incidence.facing
    if incidence.thrown_back:
        straight = torch.exp2(stops - subject_median(stops, subject))
        stops = torch.log2(straight + incidence.thrown_back * (1 - straight))
    if settings.flatten:
        stops = stops + settings.flatten * incidence.sun
    stops = stops - subject_median(stops, subject)
    stops = torch.lerp(stops, RELIEF_STOPS * torch.tanh(stops / RELIEF_STOPS), subject)
    over = NEAR_STOPS * (1 - torch.exp(-stops.clamp(min=0) / NEAR_STOPS))
    lit = torch.where(stops > 0, over, stops.clamp(min=DARKEST_STOPS))
    return lit if incidence.shadow is None else lit - incidence.shadow


def _beam_stops(incidence: Incidence, width: float) -> Tensor:
    """Beam aimed at the subject: (h, w) stops against its centre.

    Falls with the square of the angle at first and leaves spill far out, as reflectors do.
    """
    return -torch.log2(1 + (2**BEAM_STOPS - 1) / (width * width) * incidence.off_axis)


def _softened(light: FlashLight) -> Tensor:
    """The photo with its texture, not its outlines, smoothed where the night is dark."""
    photo = light.photo
    if light.softness == 0:
        return photo
    gain = luminance(light.shine(torch.full_like(photo, 0.2), light.maps)) / 0.2
    darkness = ((-torch.log2(gain.clamp(min=1e-6)) - 1) / 3).clamp(0, 1)
    radius = max(2, round(math.hypot(*photo.shape[1:]) / 90))
    smooth = GuidedFilter(photo.clamp(min=0).sqrt(), radius, 0.02).filter(photo)
    return torch.lerp(photo, smooth, light.softness * darkness)


def shoulder(linear: Tensor) -> Tensor:
    """Roll values above KNEE off towards 1; all channels of a pixel by one factor, hue kept."""
    peak = linear.amax(0, keepdim=True)
    over = ((peak - KNEE) / (1 - KNEE)).clamp(min=0)
    rolled = KNEE + (1 - KNEE) * (1 - torch.exp(-over))
    return torch.where(peak > KNEE, linear * (rolled / peak.clamp(min=KNEE)), linear)


def _rgb(kelvin: float, strength: float, like: Tensor) -> Tensor:
    colour = torch.tensor(light_of_temperature(kelvin), dtype=like.dtype, device=like.device)
    return colour.pow(strength)[:, None, None]


def _purkinje(night: Tensor, strength: float) -> Tensor:
    """Rod vision below about 0.02: colour fades and turns blue."""
    y = luminance(night)
    rods = strength * (1 - (y / 0.03).clamp(0, 1)) ** 2
    blue = night.new_tensor((0.75, 0.95, 1.45))[:, None, None] * y
    return torch.lerp(night, blue, rods)
