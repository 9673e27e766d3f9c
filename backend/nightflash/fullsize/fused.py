"""A strip of the night in one pass over its pixels: interpolation, light, change and grain.

What `Fitted.night` and `add_grain` do plane by plane, here pixel by pixel, so that memory is read
and written once. That is the reference, in the tests too; here is the same arithmetic compiled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nightflash.fullsize.fitted import Fitted
from nightflash.fullsize.grain import noise_model
from nightflash.fullsize.region import Region, neighbours
from nightflash.imaging.compiled import compiled, inlined
from nightflash.light.flash import KNEE, FlashLight
from nightflash.light.incidence import DARKEST_STOPS

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
F = np.float32

PER_BAND = 6  # slopes by red, green and blue, offset, least, greatest
_NO_NOISE = np.empty((3, 0, 0), np.float32)


@dataclass(frozen=True)
class Fused:
    """What the pixels of a region need, in the order in which they need it.

    Attributes:
        planes: (h, w, 6 bands): of each place all of a band, then of the next.
        maps: How many bands are maps of the light.
        light: Numbers of the light, see ``_shine``.
        rows, columns: Of each of the region's pixels, the place before it and how far on to the
            next it lies, 0..1.
        grain: Shot and read noise of the sensor; 0 without grain.
    """

    planes: Floats
    maps: int
    light: tuple[F, ...]
    rows: tuple[Places, Floats]
    columns: tuple[Places, Floats]
    grain: tuple[F, F]

    @classmethod
    def of(cls, fitted: Fitted, region: Region, size: tuple[int, int], iso: float | None) -> Fused:
        """For a region shown at ``size`` (width, height), with the grain of ``iso``.

        Raises:
            TypeError: The light is none of a flash.
        """
        light = fitted.light
        if not isinstance(light, FlashLight):
            raise TypeError(f"There is no compiled way for {type(light).__name__}.")
        h, w = fitted.planes.shape[1:]
        by_place = fitted.planes.view(PER_BAND, fitted.bands, h, w).permute(2, 3, 1, 0)
        colours = [*light.ambient.flatten().tolist(), *light.flash.flatten().tolist()]
        numbers = [*colours, light.pallor, light.purkinje, DARKEST_STOPS, KNEE]
        a, b = (0.0, 0.0) if iso is None else noise_model(iso)
        return cls(
            planes=by_place.reshape(h, w, PER_BAND * fitted.bands).contiguous().numpy(),
            maps=fitted.maps,
            light=tuple(map(F, numbers)),
            rows=neighbours(region.centres(0, size[1]), h, region.of[1]),
            columns=neighbours(region.centres(1, size[0]), w, region.of[0]),
            grain=(F(a), F(b)),
        )

    def night(self, day: Floats, rows: slice, noise: Floats | None) -> Floats:
        """Night (n, W, 3) of the strip ``day`` (n, W, 3), both linear.

        Args:
            day: The photo's pixels.
            rows: Of the region, which they are.
            noise: (3, n, W) of deviation 1 where there is grain, else None.
        """
        (upper, down), (left, across) = self.rows, self.columns
        drawn, night = _NO_NOISE if noise is None else noise, np.empty(day.shape, F)
        _night(
            np.ascontiguousarray(day),
            night,
            self.planes,
            self.maps,
            self.light,
            *(upper[rows], down[rows], left, across),
            *(drawn, self.grain),
        )
        return night


@compiled
def _night(
    day: Floats,
    night: Floats,
    planes: Floats,
    maps: int,
    light: tuple[F, ...],
    upper: Places,
    down: Floats,
    left: Places,
    across: Floats,
    noise: Floats,
    grain: tuple[F, F],
) -> None:
    height, width, count = planes.shape
    bands = count // PER_BAND
    row, here, value = np.empty((width, count), F), np.empty(count, F), np.zeros(5, F)
    for y in range(day.shape[0]):
        above, below, on = planes[upper[y]], planes[min(upper[y] + 1, height - 1)], down[y]
        for i in range(width):
            for k in range(count):
                row[i, k] = above[i, k] + on * (below[i, k] - above[i, k])
        for x in range(day.shape[1]):
            before, after, on = row[left[x]], row[min(left[x] + 1, width - 1)], across[x]
            for k in range(count):
                here[k] = before[k] + on * (after[k] - before[k])
            r, g, b = day[y, x, 0], day[y, x, 1], day[y, x, 2]
            red, green, blue = _guide(r), _guide(g), _guide(b)
            for n in range(bands):
                k = PER_BAND * n
                fit = here[k] * red + here[k + 1] * green + here[k + 2] * blue + here[k + 3]
                value[n] = min(max(fit, here[k + 4]), here[k + 5])
            r, g, b = _shine(r, g, b, maps, value[0], value[1], light)
            if bands > maps:
                r = max(r + value[maps], min(r, F(0)))
                g = max(g + value[maps + 1], min(g, F(0)))
                b = max(b + value[maps + 2], min(b, F(0)))
            if grain[1] > 0:
                r = _grained(r, noise[0, y, x], grain)
                g = _grained(g, noise[1, y, x], grain)
                b = _grained(b, noise[2, y, x], grain)
            night[y, x, 0], night[y, x, 1], night[y, x, 2] = r, g, b


@inlined
def _guide(linear: F) -> F:
    """``perceptual_guide``."""
    return F(math.sqrt(min(max(linear, F(0)), F(4))))


@inlined
def _shine(r: F, g: F, b: F, maps: int, stops: F, lamp: F, light: tuple[F, ...]) -> tuple[F, F, F]:
    """``FlashLight.shine``.

    Args:
        r, g, b: By day.
        maps: How many there are: without any, what follows does not count.
        stops, lamp: The maps' values.
        light: Ambient and flash (3 each), pallor, purkinje, the least stops, the shoulder's knee.
    """
    around_r, around_g, around_b, flash_r, flash_g, flash_b, pallor, purkinje, least, knee = light
    if maps > 1:
        lamp = _clipped(lamp)
        around_r, around_g, around_b = max(around_r, lamp), max(around_g, lamp), max(around_b, lamp)
    lit_r, lit_g, lit_b = r * around_r, g * around_g, b * around_b
    if maps:
        gain, grey = F(np.exp2(min(max(stops, least), F(4)))), pallor * _luminance(r, g, b)
        lit_r += (r * (F(1) - pallor) + grey) * flash_r * gain
        lit_g += (g * (F(1) - pallor) + grey) * flash_g * gain
        lit_b += (b * (F(1) - pallor) + grey) * flash_b * gain
        peak = max(lit_r, max(lit_g, lit_b))
        if peak > knee:
            over = (peak - knee) / (F(1) - knee)
            scale = (knee + (F(1) - knee) * (F(1) - F(math.exp(-over)))) / peak
            lit_r, lit_g, lit_b = lit_r * scale, lit_g * scale, lit_b * scale
    if purkinje > 0:
        grey = _luminance(lit_r, lit_g, lit_b)
        rods = purkinje * (F(1) - _clipped(grey / F(0.03))) ** 2
        lit_r += rods * (F(0.75) * grey - lit_r)
        lit_g += rods * (F(0.95) * grey - lit_g)
        lit_b += rods * (F(1.45) * grey - lit_b)
    return lit_r, lit_g, lit_b


@inlined
def _grained(linear: F, noise: F, grain: tuple[F, F]) -> F:
    """``add_grain``."""
    deviation = F(math.sqrt(grain[0] * _clipped(linear) + grain[1]))
    return max(linear + noise * deviation, min(linear, F(0)))


@inlined
def _clipped(x: F) -> F:
    return min(max(x, F(0)), F(1))


@inlined
def _luminance(r: F, g: F, b: F) -> F:
    return F(0.2126) * r + F(0.7152) * g + F(0.0722) * b
