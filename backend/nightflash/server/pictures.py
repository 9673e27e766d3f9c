"""From what the engine gives to pixels in transport."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from nightflash.client.protocol import SAMPLE_TYPES, Layout, Pixels, Sample
from nightflash.engine.night import Preview
from nightflash.fullsize.region import Region
from nightflash.imaging.colour import encode
from nightflash.photo import Photo
from nightflash.photo.encoding import Codes

HALF_MAX = 65504.0
OUTLINE = (1.0, 0.72, 0.2)  # encoded: amber stands out by night and by day
OPACITY = 0.85


def photo_pixels(photo: Photo, sample: Sample) -> Pixels:
    """A photo of full size; a grey one has one colour channel."""
    kind = np.dtype(SAMPLE_TYPES[sample])
    codes = photo.to_encoded(32 if kind.kind == "f" else 8 * kind.itemsize)
    if kind == np.float16:
        codes = np.clip(codes, -HALF_MAX, HALF_MAX).astype(np.float16)
    return _pixels(codes, sample)


def view_pixels(name: str, preview: Preview, alpha: npt.NDArray[np.float32] | None) -> Pixels:
    """A view of the scene at the working size, in ``u8``.

    Args:
        name: ``night`` or ``day`` in RGB; ``subject`` (mask), ``depth`` (inverse, near is bright)
            or ``light`` (of the flash against its value at the subject, encoded) in grey;
            ``outline`` of the subject in RGB and alpha, to lie over the others.
        preview: What there is to see.
        alpha: Opacity (h, w) that night and day get as a fourth channel, or None.
    """
    scene = preview.scene
    if name in ("night", "day"):
        picture = encode((preview.picture if name == "night" else scene.photo).clamp(0, 1))
        if alpha is not None:
            picture = torch.cat((picture, torch.from_numpy(alpha).to(picture)[None]))
    elif name == "outline":
        picture = _outline(scene.subject)
    else:
        picture = _map(name, preview)
    return _pixels(_codes(picture), "u8")


def region_pixels(name: str, preview: Preview, day: Photo, night: Photo, region: Region) -> Pixels:
    """A view of a region, in ``u8``; see `view_pixels`.

    Args:
        name: Of the view.
        preview: Of the whole photo.
        day, night: The region's own pixels by day and at night, of one size.
        region: Where they lie.
    """
    if name in ("night", "day"):
        codes = (night if name == "night" else day).to_encoded(8)
        if codes.shape[2] < 3:
            codes = np.concatenate((np.repeat(codes[..., :1], 3, -1), codes[..., 1:]), -1)
        return _pixels(codes, "u8")
    size = day.width, day.height
    if name == "outline":
        subject = region.part_of(preview.scene.subject[None], size)[0]
        return _pixels(_codes(_outline(subject)), "u8")
    return _pixels(_codes(region.part_of(_map(name, preview), size)), "u8")


def _map(name: str, preview: Preview) -> Tensor:
    """A grey view (1, h, w) of the whole photo."""
    scene, light = preview.scene, preview.light
    if name == "light":
        white = torch.ones_like(scene.photo)
        lit = light.shine(white, light.maps) - light.unlit(white)
        return encode(lit.clamp(0, 1))[1:2]
    return (scene.subject if name == "subject" else scene.inverse_depth)[None].clamp(0, 1)


def _outline(subject: Tensor) -> Tensor:
    """The rim (4, h, w) of what is more than half subject, inside and outside by a pixel."""
    inside = (subject > 0.5).to(subject)[None]
    rim = F.max_pool2d(inside, 3, 1, 1) + F.max_pool2d(-inside, 3, 1, 1)
    colour = subject.new_tensor(OUTLINE)[:, None, None].expand(3, *subject.shape)
    return torch.cat((colour, OPACITY * rim))


def _codes(picture: Tensor) -> npt.NDArray[np.uint8]:
    rows = (picture * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
    codes: npt.NDArray[np.uint8] = rows.cpu().numpy()
    return codes


def _pixels(codes: Codes, sample: Sample) -> Pixels:
    height, width, channels = codes.shape
    layout = Layout(width, height, sample, channels)
    return Pixels.cut(layout, np.ascontiguousarray(codes).data)
