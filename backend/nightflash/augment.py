"""Nights for training: a transform in the manner of torchvision's v2, for detectors of the night.

Geometry is unchanged, so that boxes, masks and key points of the day are true at night.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as pictures

from nightflash.engine.networks import Networks
from nightflash.engine.several import nights
from nightflash.errors import NightFlashError
from nightflash.imaging.colour import decode, encode
from nightflash.models.choice import Choice
from nightflash.models.device import choose_device
from nightflash.models.weights import weights_folder
from nightflash.settings import DEFAULTS, Settings

Drawn = tuple[float, float] | Sequence[Any]
"""What a setting is drawn from: the ends (low, high) of a range, or a list of values."""

DRAWN: dict[str, Drawn] = {
    "ambient": (-9.0, -4.0),
    "ambient_temperature": (2800.0, 9000.0),
    "flash_ev": (-1.0, 0.7),
    "beam": (0.7, 2.0),
    "falloff": (0.7, 1.3),
    "flash_from": ["camera", "above", "left", "right"],
    "grain": (100.0, 3200.0),
}
"""What is drawn where nothing else is asked for: nights that a camera could bring home."""

SAME_FOR_ALL = ("method", "quality", "content", "steps", "working_size")


@dataclass(frozen=True)
class Nights:
    """Nights of N photos, and what they were made with.

    Attributes:
        night: As the photos came: type, range, shape and device.
        depth: (N, 1, H, W) float32, relative inverse depth: near is large, 0 infinitely far.
        mask: (N, 1, H, W) float32 0..1, the main object, which the flash is aimed at.
        settings: Of each; None where the photo was left as it is.
    """

    night: Tensor
    depth: Tensor
    mask: Tensor
    settings: tuple[Settings | None, ...]


class RandomNight(v2.Transform):
    """Turns photos into nights with a flash, with settings drawn at random.

    It takes what v2's transforms take: images as tensors (..., 3, H, W) of 0..255 or 0..1, or of
    PIL, alone or in a structure with boxes, masks and labels, which stay as they are. A batch goes
    through the networks at once; nights are of the quality ``fast``.

    Args:
        drawn: Setting to what it is drawn from.
        settings: Those that are not drawn.
        p: Share of the photos that become nights.
        networks, weights, device: See ``Engine``.

    Raises:
        NightFlashError: There is no such setting or value, or the networks are not there.
    """

    _transformed_types = (tv_tensors.Image, pictures.is_pure_tensor, Image.Image)

    def __init__(
        self,
        drawn: Mapping[str, Drawn] = DRAWN,
        settings: Settings | None = None,
        p: float = 1.0,
        *,
        networks: str = "auto",
        weights: Path | None = None,
        device: str = "auto",
    ) -> None:
        super().__init__()
        self.drawn, self.settings, self.p = dict(drawn), settings or Settings(), p
        self._chosen = networks, weights, device
        self._networks: Networks | None = None
        for name in SAME_FOR_ALL:
            if name in self.drawn:
                raise NightFlashError(f"The setting {name!r} is not drawn.", code="bad_setting")
        for choose in (min, max):  # both ends are legal, so all between them is
            ends = {n: choose(of) if isinstance(of, tuple) else of[0] for n, of in drawn.items()}
            Settings.from_values(ends, self.settings)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw a seed by torch's generator: workers of a loader have each their own."""
        return {"seed": int(torch.randint(2**31 - 1, ()))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The night of an image, as it came."""
        if isinstance(inpt, Tensor):
            several = inpt.reshape(-1, *inpt.shape[-3:]).as_subclass(Tensor)
            seeds = range(params["seed"], params["seed"] + len(several))
            night = self.nights(several, seeds).night.reshape(inpt.shape)
            return tv_tensors.wrap(night, like=inpt) if type(inpt) is not Tensor else night
        image = pictures.pil_to_tensor(inpt)
        return pictures.to_pil_image(self.nights(image[None], [params["seed"]]).night[0])

    @torch.no_grad()
    def nights(self, images: Tensor, seeds: Sequence[int]) -> Nights:
        """Make nights; a photo with its seed gives the same night each time.

        Args:
            images: (N, 3, H, W), sRGB: integers 0..255 or floats 0..1.
            seeds: A number for each.

        Raises:
            NightFlashError: Images of another shape, or a network's file is missing.
        """
        if images.ndim != 4 or images.shape[1] != 3:
            raise NightFlashError(
                f"Images are (N, 3, H, W), not {tuple(images.shape)}.", "Use v2.RGB() before."
            )
        networks = self._ready()
        settings = [self.draw(seed) for seed in seeds]
        day = images.to(networks.device)
        day = day.float() / 255 if images.dtype == torch.uint8 else day.float()
        made = nights(networks, decode(day), [one or self.settings for one in settings])
        dark = encode(torch.stack([one.night for one in made]).clamp(0, 1))
        if images.dtype == torch.uint8:
            dark = (255 * dark).round()
        kept = torch.tensor([one is None for one in settings], device=images.device)
        night = torch.where(kept[:, None, None, None], images, dark.to(images))
        size = images.shape[-2:]
        depth = [_at(one.scene.inverse_depth, size) for one in made]
        mask = [_at(one.scene.subject, size) for one in made]
        depths, masks = (torch.stack(planes).to(images.device) for planes in (depth, mask))
        return Nights(night, depths, masks, tuple(settings))

    def draw(self, seed: int) -> Settings | None:
        """The settings that a seed draws; None leaves the photo as it is."""
        generator = random.Random(seed)
        if generator.random() >= self.p:
            return None
        values: dict[str, Any] = {"seed": generator.randrange(2**31)}
        for name, of in self.drawn.items():
            whole = isinstance(DEFAULTS[name], int)
            between = generator.randint if whole else generator.uniform
            values[name] = between(*of) if isinstance(of, tuple) else generator.choice(of)
        return Settings.from_values(values, self.settings)

    def _ready(self) -> Networks:
        """The networks, which each process of a loader reads for itself."""
        if self._networks is None:
            networks, weights, device = self._chosen
            chosen = Choice.of(networks), weights_folder(weights), choose_device(device)
            self._networks = Networks(*chosen)
        return self._networks

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_networks": None}


def _at(plane: Tensor, size: Sequence[int]) -> Tensor:
    """A map (h, w) at the size of the photo: (1, H, W)."""
    return F.interpolate(plane[None, None].float(), tuple(size), mode="bilinear")[0]
