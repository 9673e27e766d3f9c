"""Measure and show what NightFlash makes of a folder of photos.

    python -m tests.quality DIR [--weights DIR] [--networks lite] [--quality best] [--out DIR]

Prints one row per photo and writes a contact sheet (photo, depth, mask, published, flash).
"""

from __future__ import annotations

import argparse
import math
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from nightflash import Engine, Night, NightFlashError, Photo, Settings
from nightflash.commands.debug import views
from nightflash.imaging.colour import oklab
from nightflash.imaging.resample import area
from nightflash.photo import read_photo, srgb_encode
from PIL import Image, ImageDraw

Picture = npt.NDArray[np.float32]
LARGEST = 3.0  # megapixels at which photos are measured
THUMB = (330, 250)


@dataclass(frozen=True)
class Quality:
    """What the issue of a night photo is judged by; gains are log2 of night / day luminance.

    Attributes:
        subject_ev: Change of the subject's median linear luminance, stops.
        chroma: Subject's OKLab chroma against daylight, median of unclipped coloured pixels.
        hue: Subject's hue shift, degrees, median of the same pixels.
        far: Stops by which what is clearly farther (at most 0.4 of the subject's inverse depth)
            lies further below its daylight level than the subject; nan where nothing is.
        beside: Stops between the gain of the subject and of what stands beside it at its depth
            (within a tenth of the inverse depth and within its own size, not the ground, whose
            depth changes from row to row); nan where nothing does.
    """

    subject_ev: float
    chroma: float
    hue: float
    far: float
    beside: float


def luminance(linear: Picture) -> Picture:
    y: Picture = linear @ np.float32([0.2126, 0.7152, 0.0722])
    return y


def measure(day: Picture, night: Picture, depth: Picture, mask: Picture) -> Quality:
    """Compare day and night (H, W, 3), both linear, given depth and mask (H, W)."""
    subject = mask > 0.9
    if not subject.any():
        subject = mask >= mask.max()
    before, after = luminance(day), luminance(night)
    gain = np.log2(np.maximum(after, 1e-6) / np.maximum(before, 1e-6))
    lab = [oklab(torch.from_numpy(p).permute(2, 0, 1)).numpy() for p in (day, night)]
    chroma = [np.hypot(p[1], p[2]) for p in lab]
    hue = [np.arctan2(p[2], p[1]) for p in lab]
    clear = subject & (day.max(2) < 0.97) & (night.max(2) < 0.97) & (chroma[0] > 0.02)
    turn = np.abs((hue[1] - hue[0] + math.pi) % (2 * math.pi) - math.pi)
    at_subject = float(np.median(gain[subject]))
    m = float(np.median(depth[subject]))
    size = round(math.sqrt(subject.sum()))
    kernel = np.ones((3, 3), np.uint8)
    near_it = cv2.dilate(subject.astype(np.uint8), kernel, iterations=max(2, size // 2)) > 0
    outside = cv2.dilate((mask > 0.05).astype(np.uint8), kernel, iterations=max(2, size // 30)) == 0
    beside = near_it & outside & (np.abs(depth - m) < 0.1 * m) & _stands(depth)
    far = outside & (depth < 0.4 * m)
    return Quality(
        subject_ev=float(
            np.log2(np.median(after[subject]) / max(np.median(before[subject]), 1e-6))
        ),
        chroma=_median(chroma[1][clear] / chroma[0][clear]),
        hue=math.degrees(_median(turn[clear])),
        far=at_subject - _median(gain[far]),
        beside=at_subject - _median(gain[beside]),
    )


def _stands(depth: Picture) -> npt.NDArray[np.bool_]:
    """Where inverse depth (H, W) changes by less than a twelfth over a tenth of the height."""
    reach = max(1, depth.shape[0] // 20)
    padded = np.pad(depth, ((reach, reach), (0, 0)), mode="edge")
    change = np.abs(padded[2 * reach :] - padded[: -2 * reach])
    stands: npt.NDArray[np.bool_] = change < depth / 12
    return stands


def _median(values: npt.NDArray[np.floating]) -> float:
    return float(np.median(values)) if values.size > 20 else math.nan


@dataclass(frozen=True)
class Refinement:
    """What refinement changed: `best` against `fast`, both without grain.

    Attributes:
        dark: Gradient energy of the dark background (4 stops under its daylight) against `fast`.
        lit: The same of the lit subject.
        new_colour: OKLab chroma gained, 99th percentile over the picture.
    """

    dark: float
    lit: float
    new_colour: float


def compare(day: Picture, fast: Picture, best: Picture, mask: Picture) -> Refinement:
    """Compare two nights (H, W, 3) of one day, linear, given the subject's mask (H, W)."""
    gain = np.log2(np.maximum(luminance(fast), 1e-6) / np.maximum(luminance(day), 1e-6))
    outside = cv2.dilate((mask > 0.05).astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    energy = [_gradient_energy(srgb_encode(luminance(p).clip(0, 1))) for p in (fast, best)]
    ratios = [
        float(energy[1][part].sum() / max(energy[0][part].sum(), 1e-9)) if part.any() else math.nan
        for part in (outside & (gain < -4), mask > 0.9)
    ]
    lab = [oklab(torch.from_numpy(p.clip(0, 1)).permute(2, 0, 1)).numpy() for p in (fast, best)]
    chroma = [np.hypot(p[1], p[2]) for p in lab]
    return Refinement(ratios[0], ratios[1], float(np.quantile(chroma[1] - chroma[0], 0.99)))


def _gradient_energy(y: Picture) -> Picture:
    energy: Picture = np.zeros_like(y)
    energy[:-1] += np.diff(y, axis=0) ** 2
    energy[:, :-1] += np.diff(y, axis=1) ** 2
    return energy


def verdict(q: Quality) -> list[str]:
    """Names of the figures that are out of bounds."""
    out = []
    if abs(q.subject_ev) > 1:
        out.append("subject_ev")
    if not math.isnan(q.chroma) and not 0.75 <= q.chroma <= 1.10:
        out.append("chroma")
    if q.hue > 5:
        out.append("hue")
    if q.far < 2.5:
        out.append("far")
    if abs(q.beside) > 1:
        out.append("beside")
    return out


def at_most(photo: Photo, megapixels: float) -> Photo:
    """The photo, reduced by pixel area to ``megapixels`` where it is larger."""
    h, w = photo.rgb.shape[:2]
    scale = math.sqrt(megapixels * 1e6 / (h * w))
    if scale >= 1:
        return photo
    return Photo.from_linear(area(photo.rgb, (round(w * scale), round(h * scale))))


def of_night(day: Photo, night: Night) -> Quality:
    """Measure a night at the size of its photo."""
    depth, mask = (_at_size_of(day, t) for t in (night.scene.inverse_depth, night.scene.subject))
    return measure(day.rgb, night.photo.rgb, depth, mask)


def _at_size_of(photo: Photo, values: torch.Tensor) -> Picture:
    """Values (h, w) of the working size at the photo's size."""
    size = (photo.width, photo.height)
    wide: Picture = cv2.resize(values.cpu().numpy(), size, interpolation=cv2.INTER_LINEAR)
    return wide


def thumb(linear: Picture, caption: str) -> Image.Image:
    h, w = linear.shape[:2]
    scale = min(THUMB[0] / w, THUMB[1] / h)
    small = area(linear, (max(1, round(w * scale)), max(1, round(h * scale))))
    encoded = np.round(srgb_encode(small.clip(0, 1)) * 255).astype(np.uint8)
    tile = Image.new("RGB", (THUMB[0] + 6, THUMB[1] + 20), "white")
    tile.paste(Image.fromarray(encoded), (3, 3))
    ImageDraw.Draw(tile).text((4, THUMB[1] + 5), caption, fill="black")
    return tile


def contact_sheet(rows: list[list[Image.Image]]) -> Image.Image:
    width, height = rows[0][0].size
    sheet = Image.new("RGB", (width * max(map(len, rows)), height * len(rows)), "white")
    for y, row in enumerate(rows):
        for x, tile in enumerate(row):
            sheet.paste(tile, (x * width, y * height))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--networks", default="auto")
    parser.add_argument("--quality", default="best")
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--full", action="store_true", help="measure at full size, not at 3 MP")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--rows", type=int, default=9, help="photos per sheet")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    engine = Engine(options.networks, options.weights)
    words = dict(pair.split("=", 1) for pair in options.set)
    settings = Settings.from_words({"quality": options.quality, "grain": "off", **words})
    names = [f.name for f in fields(Quality)] + [f.name for f in fields(Refinement)]
    print(f"{'photo':32s}" + "".join(f"{n:>11s}" for n in names) + "  out of bounds; subject")
    rows: list[list[Image.Image]] = []
    for path in sorted(p for p in options.folder.iterdir() if p.is_file()):
        try:
            photo = read_photo(path)
        except NightFlashError as error:
            print(f"{path.name[:31]:32s} {error}")
            continue
        if not options.full:
            photo = at_most(photo, LARGEST)
        night = engine.render(photo, settings)
        grey = engine.render(
            photo, Settings.from_values({"method": "published", "quality": "fast"}, settings)
        )
        q = of_night(photo, night)
        figures = list(astuple(q))
        if settings.quality == "best":
            fast = engine.render(photo, Settings.from_values({"quality": "fast"}, settings))
            mask = _at_size_of(photo, night.scene.subject)
            figures += astuple(compare(photo.rgb, fast.photo.rgb, night.photo.rgb, mask))
        print(
            f"{path.name[:31]:32s}" + "".join(f"{f:11.2f}" for f in figures),
            f" {' '.join(verdict(q))}; {night.report.subject_from}",
            flush=True,
        )
        shown = views(night)
        rows.append(
            [
                thumb(photo.rgb, path.name),
                thumb(shown["depth"], night.report.networks["depth"]),
                thumb(shown["mask"], night.report.subject_from),
                thumb(grey.photo.rgb, "published"),
                thumb(night.photo.rgb, f"flash {q.subject_ev:+.2f} EV, far {q.far:.1f}"),
            ]
        )
    for i in range(0, len(rows), options.rows):
        sheet = options.out / f"sheet-{i // options.rows + 1}.png"
        contact_sheet(rows[i : i + options.rows]).save(sheet)
        print(sheet)


if __name__ == "__main__":
    main()
