"""ICC profiles: from the values that a profile describes to linear sRGB and back.

Profiles of a matrix and three curves (sRGB, Adobe RGB, Display P3, ProPhoto ...) and grey ones are
evaluated here, exactly and without clipping: a colour outside sRGB becomes a negative value or one
above 1, and comes back. Profiles made of tables (CMYK, some scanners) go through littleCMS.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import imagecodecs
import numpy as np
import numpy.typing as npt

from .encoding import (
    IDENTITY,
    SRGB_CURVE,
    Codes,
    Curve,
    Floats,
    Linear,
    ParametricCurve,
    full_scale,
)

Matrix = npt.NDArray[np.float64]

# Linear sRGB to the XYZ of the profile connection space: Rec.709 primaries with D65 adapted to D50
# by Bradford's transform (IEC 61966-2-1, annex F; the columns of every sRGB profile).
SRGB_TO_D50: Matrix = np.array(
    [
        [0.4360657, 0.3851515, 0.1430784],
        [0.2224932, 0.7168870, 0.0606169],
        [0.0139160, 0.0970764, 0.7140961],
    ]
)
_RELATIVE_COLORIMETRIC = 1
_BLACK_POINT_COMPENSATION = 0x2000
_MATRIX_TOLERANCE = 0.002
_CURVE_TOLERANCE = 0.001


class ColourSpace(Protocol):
    """The meaning of a picture's values."""

    def decode(self, codes: Codes) -> Linear:
        """Codes (H, W, channels) to linear sRGB, float32 (H, W, 3), unclipped."""

    def encode(self, linear: Linear) -> Floats:
        """Linear sRGB (H, W, 3) to encoded values (H, W, 3), 0..1 for colours inside the space."""


@dataclass(frozen=True, eq=False)
class SampledCurve:
    """A curve given by equidistant samples over 0..1, going on straight above 1.

    Args:
        samples: Linear values, never falling, (N,) with N >= 2.
    """

    samples: Matrix

    @property
    def _nodes(self) -> tuple[Matrix, Matrix]:
        """Encoded and linear coordinates, with one node far above 1 in the last direction."""
        count = len(self.samples)
        grid = np.arange(count) / (count - 1)
        slope = max((self.samples[-1] - self.samples[-2]) * (count - 1), 1e-3)
        far = 1e6
        return np.append(grid, 1 + far), np.append(self.samples, self.samples[-1] + far * slope)

    def decode(self, encoded: Floats) -> Floats:
        """Encoded values to linear ones, any shape, dtype kept."""
        grid, samples = self._nodes
        linear = np.interp(np.abs(encoded), grid, samples).astype(encoded.dtype)
        return np.copysign(linear, encoded)

    def encode(self, linear: Floats) -> Floats:
        """Linear values to encoded ones, any shape, dtype kept."""
        grid, samples = self._nodes
        encoded = np.interp(np.abs(linear), samples, grid).astype(linear.dtype)
        return np.copysign(encoded, linear)


@dataclass(frozen=True, eq=False)
class MatrixSpace:
    """One transfer curve per channel, then a matrix to linear sRGB (None: the same primaries)."""

    curves: tuple[Curve, Curve, Curve]
    matrix: Matrix | None = None

    def decode(self, codes: Codes) -> Linear:
        """Codes (H, W, 3), or (H, W, 1) for grey, to linear sRGB (H, W, 3); integers by table."""
        if len(set(map(id, self.curves))) == 1:
            linear = _by_curve(self.curves[0], codes)
            linear = linear if codes.shape[2] == 3 else np.repeat(linear, 3, axis=-1)
        else:
            channels = [_by_curve(curve, codes[..., i]) for i, curve in enumerate(self.curves)]
            linear = np.stack(channels, axis=-1)
        return linear if self.matrix is None else linear @ self.matrix.T.astype(np.float32)

    def encode(self, linear: Linear) -> Floats:
        """Linear sRGB (H, W, 3) to encoded values (H, W, 3)."""
        if self.matrix is not None:
            linear = linear @ np.linalg.inv(self.matrix).T.astype(np.float32)
        if len(set(map(id, self.curves))) == 1:
            return self.curves[0].encode(linear)
        channels = [curve.encode(linear[..., i]) for i, curve in enumerate(self.curves)]
        return np.stack(channels, axis=-1)


def _by_curve(curve: Curve, codes: Codes) -> Linear:
    if codes.dtype.kind == "f":
        return curve.decode(codes).astype(np.float32, copy=False)
    # No code is out of the table's range; "clip" spares numpy the look, three quarters of the time.
    return np.take(_table(curve, full_scale(codes.dtype)), codes, mode="clip")


@lru_cache(maxsize=16)
def _table(curve: Curve, top: float) -> Linear:
    """The linear value of every code from 0 to the top one."""
    return curve.decode(np.arange(top + 1) / top).astype(np.float32)


SRGB = MatrixSpace((SRGB_CURVE,) * 3)
LINEAR_SRGB = MatrixSpace((IDENTITY,) * 3)


@dataclass(frozen=True)
class TableSpace:
    """A profile made of tables, evaluated by littleCMS: relative colorimetric, black to black.

    Args:
        icc: The profile.
        channels: ``rgb`` or ``cmyk``.
    """

    icc: bytes
    channels: str

    def decode(self, codes: Codes) -> Linear:
        """Codes (H, W, 3 or 4; for CMYK the top code is full ink) to linear sRGB (H, W, 3)."""
        return self._transform(codes, self.icc, _linear_profile(), self.channels, "rgb")

    def encode(self, linear: Linear) -> Floats:
        """Linear sRGB (H, W, 3) to encoded values (H, W, 3); RGB profiles only."""
        return self._transform(linear, _linear_profile(), self.icc, "rgb", self.channels)

    @staticmethod
    def _transform(
        values: Codes, source: bytes, target: bytes, inlet: str, outlet: str
    ) -> npt.NDArray[np.float32]:
        result: npt.NDArray[np.float32] = imagecodecs.cms_transform(
            np.ascontiguousarray(values),
            source,
            target,
            colorspace=inlet,
            outcolorspace=outlet,
            outdtype="float32",
            intent=_RELATIVE_COLORIMETRIC,
            flags=_BLACK_POINT_COMPENSATION,
        )
        return result


@lru_cache(maxsize=1)
def _linear_profile() -> bytes:
    profile: bytes = imagecodecs.cms_profile(
        "rgb",
        whitepoint=[0.3127, 0.3290, 1.0],
        primaries=[0.64, 0.33, 1.0, 0.30, 0.60, 1.0, 0.15, 0.06, 1.0],
        gamma=1.0,
    )
    return profile


def colour_model(icc: bytes) -> str:
    """What a profile describes: ``RGB``, ``GRAY``, ``CMYK`` ..., or empty when it is no profile."""
    return icc[16:20].decode("latin-1").strip() if icc[36:40] == b"acsp" else ""


@lru_cache(maxsize=8)
def profile_space(icc: bytes) -> ColourSpace | None:
    """The colour space that an ICC profile describes.

    Any profile that differs from sRGB by rounding alone gives `SRGB`, the exact function.

    Returns:
        The space, or None where the profile is damaged or of a kind that photos do not have.
    """
    model = colour_model(icc)
    try:
        tags = _tags(icc)
        if model == "GRAY":
            return _simplest(MatrixSpace((_curve(tags["kTRC"]),) * 3))
        if model == "RGB" and not {"A2B0", "A2B1"} & tags.keys():
            return _simplest(_matrix_space(tags))
        if model in ("RGB", "CMYK"):
            return _table_space(icc, model.lower())
    except (KeyError, IndexError, ValueError, struct.error, np.linalg.LinAlgError):
        return None
    return None


def _table_space(icc: bytes, channels: str) -> TableSpace | None:
    space = TableSpace(icc, channels)
    try:
        space.decode(np.zeros((1, 1, len(channels)), np.uint8))
        if channels == "rgb":
            space.encode(np.zeros((1, 1, 3), np.float32))
    except Exception:  # littleCMS refuses the profile, each version by its own exception
        return None
    return space


def _matrix_space(tags: dict[str, bytes]) -> MatrixSpace:
    to_d50 = np.array([_xyz(tags[f"{primary}XYZ"]) for primary in "rgb"]).T
    matrix = np.linalg.inv(SRGB_TO_D50) @ to_d50
    if not abs(np.linalg.det(matrix)) > 1e-3:
        raise ValueError("the primaries lie on one line")
    parsed = {tags[f"{primary}TRC"]: _curve(tags[f"{primary}TRC"]) for primary in "rgb"}
    red, green, blue = (parsed[tags[f"{primary}TRC"]] for primary in "rgb")
    return MatrixSpace((red, green, blue), matrix)


def _simplest(space: MatrixSpace) -> MatrixSpace:
    """`SRGB` or `LINEAR_SRGB` where the space is one of them but for the profile's rounding."""
    matrix = np.eye(3) if space.matrix is None else space.matrix
    if np.abs(matrix - np.eye(3)).max() > _MATRIX_TOLERANCE:
        return space
    grid = np.linspace(0, 1, 257)
    for known in (SRGB, LINEAR_SRGB):
        wanted = known.curves[0].decode(grid)
        if all(np.abs(c.decode(grid) - wanted).max() < _CURVE_TOLERANCE for c in space.curves):
            return known
    return space


def _tags(icc: bytes) -> dict[str, bytes]:
    """The profile's tags by signature (ICC.1:2022, 7.3)."""
    (count,) = struct.unpack_from(">L", icc, 128)
    tags: dict[str, bytes] = {}
    for index in range(min(count, 256)):
        name, offset, size = struct.unpack_from(">4sLL", icc, 132 + 12 * index)
        tags[name.decode("latin-1")] = icc[offset : offset + size]
    return tags


def _fixed(data: bytes, offset: int, count: int) -> list[float]:
    """Numbers of type s15Fixed16."""
    return [value / 65536 for value in struct.unpack_from(f">{count}l", data, offset)]


def _xyz(tag: bytes) -> list[float]:
    if tag[:4] != b"XYZ ":
        raise ValueError("not an XYZ tag")
    return _fixed(tag, 8, 3)


def _curve(tag: bytes) -> Curve:
    """A curve tag, sampled or parametric (ICC.1:2022, 10.6 and 10.18)."""
    if tag[:4] == b"curv":
        return _sampled(tag)
    if tag[:4] != b"para":
        raise ValueError("not a curve tag")
    (kind,) = struct.unpack_from(">H", tag, 8)
    values: list[Any] = _fixed(tag, 12, (1, 3, 4, 5, 7)[kind])
    gamma, a, b, c, d, e, f = values + [0.0] * (7 - len(values))
    if gamma <= 0 or (kind and a <= 0):
        raise ValueError("not a rising curve")
    match kind:
        case 0:
            return ParametricCurve(gamma)
        case 1:
            return ParametricCurve(gamma, a, b, d=-b / a)
        case 2:
            return ParametricCurve(gamma, a, b, d=-b / a, e=c, f=c)
        case 3:
            return ParametricCurve(gamma, a, b, c, d)
        case _:
            return ParametricCurve(gamma, a, b, c, d, e, f)


def _sampled(tag: bytes) -> Curve:
    (count,) = struct.unpack_from(">L", tag, 8)
    if count == 0:
        return IDENTITY
    if count == 1:
        return ParametricCurve(struct.unpack_from(">H", tag, 12)[0] / 256)
    if 12 + 2 * count > len(tag):
        raise ValueError("a curve cut short")
    samples = np.frombuffer(tag, ">u2", count, 12) / 65535
    if samples[-1] <= samples[0]:
        raise ValueError("not a rising curve")
    return SampledCurve(np.maximum.accumulate(samples))
