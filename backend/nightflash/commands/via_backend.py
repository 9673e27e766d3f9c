"""Photos through the backend, for Python programs and the command line; nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nightflash.aim import Aim, check_aim
from nightflash.batch.order import Told
from nightflash.client.client import Client
from nightflash.client.protocol import SAMPLE_TYPES, Header, Layout, Pixels, Sample
from nightflash.photo import Photo
from nightflash.photo.pixels import EightBitPixels, LinearPixels
from nightflash.photo.spaces import SRGB
from nightflash.settings import Settings
from nightflash.stages import Progress


def render_remotely(
    client: Client, photo: Photo, settings: Settings, aim: Aim, progress: Progress
) -> tuple[Photo, Told]:
    """Have the backend make the night of ``photo``.

    A photo that is kept in 8 bits of sRGB goes and comes in these; others come as floats, so that
    nothing is lost.

    Args:
        client: Its connection.
        photo, settings, aim: As for ``Engine.render``.
        progress: Called with the stage and the fraction of the whole work done.

    Returns:
        The night, and a report like ``nightflash.engine.engine.Report``.

    Raises:
        NightFlashError: What the backend refuses, or it cannot be reached.
    """
    check_aim(aim, (photo.width, photo.height))
    coded = _eight_bits(photo)
    pixels = coded or (client.far and _codes(photo.rgb)) or _floats(photo.rgb)
    with _aimed(client, aim) as where:
        try:
            answer = client.work(
                "render",
                pixels,
                **where,
                report_progress=lambda stage, done, sentence: progress(stage, done),
                settings=asdict(settings),
                sample="u8" if coded else "float",
            )
        finally:
            client.forget(pixels)
    night = _rgb(answer.pictures[0])
    made = EightBitPixels(night, SRGB) if coded else LinearPixels(night)
    return replace(photo, pixels=made), _report(answer.header)


@contextmanager
def _aimed(client: Client, aim: Aim) -> Iterator[dict[str, Any]]:
    """An aim as ``Client.work`` takes it; its pictures are forgotten at the end."""
    mask = None if aim.mask is None else _floats(aim.mask[..., np.newaxis])
    strokes = None if aim.strokes is None else _floats(_in_grey_and_alpha(aim.strokes))
    clicks = [("add" if click.adds else "remove", click.x, click.y) for click in aim.clicks]
    try:
        yield {
            "mask": mask,
            "strokes": strokes,
            "clicks": clicks,
            "box": aim.box,
            "point": aim.point,
        }
    finally:
        for sent in filter(None, (mask, strokes)):
            client.forget(sent)


def _report(header: Header) -> Told:
    """What the fields of a result say, by the names that ``Report`` has for it."""
    return {
        "seconds": header["seconds"],
        "networks": header["networks"],
        "subject_box": header["subject"]["box"],
        "subject_from": header["subject"]["from"],
        "subject_metres": header["subject"]["metres"],
        "working_size": header["working_size"],
        "device": header["device"],
        "notes": header["notes"],
    }


def _in_grey_and_alpha(strokes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Strokes -1..1 (H, W) as the protocol has them, (H, W, 2)."""
    return np.stack((strokes > 0, np.abs(strokes)), -1).astype(np.float32)


def _eight_bits(photo: Photo) -> Pixels | None:
    """The codes of a photo that is kept in 8 bits of sRGB."""
    pixels = photo.pixels
    if not isinstance(pixels, EightBitPixels) or pixels.space is not SRGB:
        return None
    return Pixels.cut(Layout(photo.width, photo.height, "u8", 3), pixels.kept.data)


def _codes(rgb: npt.NDArray[np.float32]) -> Pixels | None:
    """Linear RGB as codes of sRGB, a fraction to send, where not a bit is lost; else None."""
    samples: dict[int, Sample] = {8: "u8", 16: "u16"}
    for bits, sample in samples.items():
        codes = Photo.from_linear(rgb).to_encoded(bits)
        if np.array_equal(Photo.from_encoded(codes).rgb, rgb):
            height, width, channels = codes.shape
            data = np.ascontiguousarray(codes, SAMPLE_TYPES[sample]).data
            return Pixels.cut(Layout(width, height, sample, channels), data)
    return None


def _floats(values: npt.NDArray[np.float32]) -> Pixels:
    height, width, channels = values.shape
    data = np.ascontiguousarray(values, "<f4").data
    return Pixels.cut(Layout(width, height, "float", channels), data)


def _rgb(pixels: Pixels) -> npt.NDArray[Any]:
    """Samples (H, W, 3): codes, or linear RGB."""
    width, channels = pixels.layout.width, pixels.layout.channels
    dtype = SAMPLE_TYPES[pixels.layout.sample]
    strips = [np.frombuffer(s, dtype).reshape(-1, width, channels) for s in pixels.strips]
    whole = np.concatenate(strips).astype(np.dtype(dtype).newbyteorder("="), copy=False)
    return whole if channels == 3 else np.repeat(whole, 3, axis=-1)
