"""Colour spaces by their code points in ITU-T H.273, as PNG, HEIF, AVIF and JPEG XL have them.

Light of HDR curves is scaled so that 203 cd/m2, the white of a page (ITU-R BT.2408), is 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .encoding import (
    IDENTITY,
    SRGB_CURVE,
    Cicp,
    Codes,
    Curve,
    Floats,
    Linear,
    ParametricCurve,
    full_scale,
)
from .primaries import D65, Chromaticities, luminance_weights, to_srgb
from .spaces import SRGB, ColourSpace, MatrixSpace, simplest

HDR_WHITE = 203.0  # cd/m2
UNSPECIFIED = 2
_PQ, _HLG = 16, 18

_C, _DCI = (0.310, 0.316), (0.314, 0.351)
_SMPTE_C = Chromaticities(D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
_PRIMARIES = {
    1: Chromaticities(D65, (0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    4: Chromaticities(_C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: Chromaticities(D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: _SMPTE_C,
    7: _SMPTE_C,
    8: Chromaticities(_C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: Chromaticities(D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    10: Chromaticities((1 / 3, 1 / 3), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)),
    11: Chromaticities(_DCI, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: Chromaticities(D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: Chromaticities(D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}


@dataclass(frozen=True)
class PqCurve:
    """The perceptual quantiser (SMPTE ST 2084), 1 being `HDR_WHITE`; mirrored below 0."""

    _M1, _M2 = 2610 / 16384, 2523 / 32
    _C1, _C2, _C3 = 3424 / 4096, 2413 / 128, 2392 / 128

    def decode(self, encoded: Floats) -> Floats:
        """Encoded values to linear ones, any shape, dtype kept; above 1 it stays at the top."""
        power = np.minimum(np.abs(encoded), 1).astype(np.float64) ** (1 / self._M2)
        light = (np.maximum(power - self._C1, 0) / (self._C2 - self._C3 * power)) ** (1 / self._M1)
        return np.copysign(light * (10_000 / HDR_WHITE), encoded).astype(encoded.dtype)

    def encode(self, linear: Floats) -> Floats:
        """Linear values to encoded ones, any shape, dtype kept."""
        light = np.abs(linear).astype(np.float64) * (HDR_WHITE / 10_000)
        power = np.minimum(light, 1) ** self._M1
        encoded = ((self._C1 + self._C2 * power) / (1 + self._C3 * power)) ** self._M2
        return np.copysign(encoded, linear).astype(linear.dtype)


@dataclass(frozen=True)
class HlgCurve:
    """Hybrid log-gamma (ITU-R BT.2100): the scene's light 0..1, before the display's gamma."""

    _A, _B, _C = 0.17883277, 0.28466892, 0.55991073

    def decode(self, encoded: Floats) -> Floats:
        """Encoded values to the scene's light, any shape, dtype kept; mirrored below 0."""
        size = np.abs(encoded)
        high = (np.exp((np.minimum(size, 4) - self._C) / self._A) + self._B) / 12
        return np.copysign(np.where(size <= 0.5, size**2 / 3, high), encoded).astype(encoded.dtype)

    def encode(self, linear: Floats) -> Floats:
        """The scene's light to encoded values, any shape, dtype kept."""
        size = np.abs(linear)
        high = self._A * np.log(np.maximum(12 * size - self._B, 1e-9)) + self._C
        low = np.sqrt(3 * size)
        return np.copysign(np.where(size <= 1 / 12, low, high), linear).astype(linear.dtype)


@dataclass(frozen=True)
class LogCurve:
    """A logarithm over so many decades (H.273, transfer 9 and 10)."""

    decades: float

    def decode(self, encoded: Floats) -> Floats:
        """Encoded values to linear ones, any shape, dtype kept."""
        light = 10 ** ((np.minimum(encoded, 1) - 1) * self.decades)
        return np.where(encoded > 0, light, 0).astype(encoded.dtype)

    def encode(self, linear: Floats) -> Floats:
        """Linear values to encoded ones, any shape, dtype kept."""
        encoded = 1 + np.log10(np.maximum(linear, 10**-self.decades)) / self.decades
        return encoded.astype(linear.dtype)


def _video(alpha: float, beta: float, slope: float, power: float) -> ParametricCurve:
    """``alpha L^power - (alpha - 1)`` above ``beta``, ``slope L`` below, undone."""
    return ParametricCurve(
        1 / power, a=1 / alpha, b=(alpha - 1) / alpha, c=1 / slope, d=slope * beta
    )


_REC709 = _video(1.09929682680944, 0.018053968510807, 4.5, 0.45)
_CURVES: dict[int, Curve] = {
    1: _REC709,
    4: ParametricCurve(2.2),
    5: ParametricCurve(2.8),
    6: _REC709,
    7: _video(1.111572195921731, 0.022821585529445, 4.0, 0.45),
    8: IDENTITY,
    9: LogCurve(2.0),
    10: LogCurve(2.5),
    11: _REC709,
    12: _REC709,
    13: SRGB_CURVE,
    14: _REC709,
    15: _REC709,
    _PQ: PqCurve(),
    17: ParametricCurve(2.6, a=(52.37 / 48) ** (1 / 2.6)),
}


@dataclass(frozen=True, eq=False)
class HlgSpace:
    """HLG on a display of 1000 cd/m2 with the system gamma 1.2 (ITU-R BT.2100)."""

    chromaticities: Chromaticities

    _GAMMA, _PEAK = 1.2, 1000 / HDR_WHITE

    def decode(self, codes: Codes) -> Linear:
        """Codes (H, W, 3 or 1) to linear sRGB (H, W, 3)."""
        scene = HlgCurve().decode(codes.astype(np.float32) / np.float32(full_scale(codes.dtype)))
        if scene.shape[2] == 1:
            scene = np.repeat(scene, 3, axis=-1)
        gain = self._PEAK * self._luminance(scene) ** (self._GAMMA - 1)
        linear: Linear = (scene * gain) @ to_srgb(self.chromaticities).T.astype(np.float32)
        return linear.astype(np.float32)

    def encode(self, linear: Linear) -> Floats:
        """Linear sRGB (H, W, 3) to encoded values (H, W, 3)."""
        shown = linear @ np.linalg.inv(to_srgb(self.chromaticities)).T.astype(np.float32)
        shown = shown / np.float32(self._PEAK)
        scene = shown * self._luminance(shown) ** (1 / self._GAMMA - 1)
        return HlgCurve().encode(scene.astype(np.float32))

    def _luminance(self, light: Floats) -> Floats:
        weights = luminance_weights(self.chromaticities).astype(np.float32)
        return np.maximum(light @ weights, 1e-9)[..., np.newaxis]


@dataclass(frozen=True)
class ShownHlgCurve:
    """HLG with the display's gamma of grey in it: an approximation, for one channel alone."""

    def decode(self, encoded: Floats) -> Floats:
        """Encoded values to linear ones, any shape, dtype kept."""
        return HlgCurve().decode(encoded) ** HlgSpace._GAMMA * HlgSpace._PEAK

    def encode(self, linear: Floats) -> Floats:
        """Linear values to encoded ones, any shape, dtype kept."""
        return HlgCurve().encode((linear / HlgSpace._PEAK) ** (1 / HlgSpace._GAMMA))


@lru_cache(maxsize=32)
def cicp_space(cicp: Cicp) -> ColourSpace | None:
    """The colour space of code points; None where they are reserved or not understood.

    What is unspecified counts as sRGB's.
    """
    primaries = 1 if cicp.primaries == UNSPECIFIED else cicp.primaries
    transfer = 13 if cicp.transfer == UNSPECIFIED else cicp.transfer
    if primaries not in _PRIMARIES:
        return None
    chromaticities = _PRIMARIES[primaries]
    if transfer == _HLG:
        return HlgSpace(chromaticities)
    if transfer not in _CURVES:
        return None
    if (primaries, transfer) == (1, 13):
        return SRGB
    matrix = None if primaries == 1 else to_srgb(chromaticities)
    return simplest(MatrixSpace((_CURVES[transfer],) * 3, matrix))


def cicp_curve(cicp: Cicp) -> Curve:
    """The transfer curve of code points that `cicp_space` understands; HLG's on a display."""
    if cicp.transfer == _HLG:
        return ShownHlgCurve()
    return _CURVES[13 if cicp.transfer == UNSPECIFIED else cicp.transfer]


def chromaticities_of(cicp: Cicp) -> Chromaticities:
    """The primaries of code points that `cicp_space` understands."""
    return _PRIMARIES[1 if cicp.primaries == UNSPECIFIED else cicp.primaries]
