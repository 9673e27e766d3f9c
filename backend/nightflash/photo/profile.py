"""ICC profiles: from the values that a profile describes to linear sRGB and back.

Profiles of a matrix and three curves (sRGB, Adobe RGB, Display P3, ProPhoto ...) and grey ones are
evaluated here, exactly and without clipping. Profiles made of tables (CMYK, some scanners) go
through littleCMS, for which a profile may have a way in and none back.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt

from .cicp import cicp_space
from .encoding import IDENTITY, Cicp, Codes, Curve, Floats, Linear, ParametricCurve
from .primaries import Matrix
from .spaces import ColourSpace, MatrixSpace, SampledCurve, simplest

# Linear sRGB to the XYZ of the profile connection space: Rec.709 primaries with D65 adapted to D50
# by Bradford's transform (IEC 61966-2-1, annex F; the columns of every sRGB profile).
SRGB_TO_D50: Matrix = np.array(
    [
        [0.4360657, 0.3851515, 0.1430784],
        [0.2224932, 0.7168870, 0.0606169],
        [0.0139160, 0.0970764, 0.7140961],
    ]
)
_LARGEST = 16 * 2**20  # bytes of a profile; those with tables for printing have 3 MB
_RELATIVE_COLORIMETRIC = 1
_BLACK_POINT_COMPENSATION = 0x2000
_ROUND_TRIP_TOLERANCE = 0.04  # of encoded values: a table's own coarseness is below


@dataclass(frozen=True)
class TableSpace:
    """A profile made of tables, evaluated by littleCMS: relative colorimetric, black to black.

    Args:
        icc: The profile.
        channels: ``rgb`` or ``cmyk``.
        returns: Whether `encode` undoes `decode`: a profile may have tables for one way only, or
            tables that do nothing for the other, as encoders of JPEG write for XYB.
    """

    icc: bytes
    channels: str
    returns: bool = False

    def decode(self, codes: Codes) -> Linear:
        """Codes (H, W, 3 or 4; for CMYK the top code is full ink) to linear sRGB (H, W, 3).

        One value a pixel (H, W, 1) counts for all three of RGB.
        """
        if codes.shape[2] == 1 and self.channels == "rgb":
            codes = codes.repeat(3, axis=2)
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
    if len(icc) > _LARGEST:
        return None
    try:
        tags = _tags(icc)
        if model == "GRAY":
            return simplest(MatrixSpace((_curve(tags["kTRC"]),) * 3))
        if model == "RGB" and not {"A2B0", "A2B1"} & tags.keys():
            return simplest(_matrix_space(tags))
        if model in ("RGB", "CMYK"):
            return _table_space(icc, model.lower())
    except (KeyError, IndexError, ValueError, struct.error, np.linalg.LinAlgError):
        return None
    return None


def is_writable(icc: bytes) -> bool:
    """Whether values can be encoded by an ICC profile that `profile_space` understands."""
    space = profile_space(icc)
    return not isinstance(space, TableSpace) or space.returns


def hdr_code_points(icc: bytes) -> Cicp | None:
    """The code points of a profile whose cicp tag names a curve of HDR (ICC.1:2022, 9.2.17).

    Its other tags are then for programs that know of no HDR.
    """
    try:
        cicp = Cicp(*_tags(icc)["cicp"][8:10])
    except (KeyError, TypeError, ValueError, struct.error):
        return None
    return cicp if cicp.is_hdr and cicp_space(cicp) is not None else None


def _table_space(icc: bytes, channels: str) -> TableSpace | None:
    space = TableSpace(icc, channels)
    try:
        space.decode(np.zeros((1, 1, len(channels)), np.uint8))
    except Exception:  # littleCMS refuses the profile, each version by its own exception
        return None
    return TableSpace(icc, channels, channels == "rgb" and _returns(space))


def _returns(space: TableSpace) -> bool:
    """Whether colours that the space holds for sure come back."""
    steps = np.linspace(0.2, 0.8, 4, dtype=np.float32)
    values = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(8, 8, 3)
    try:
        back = space.encode(space.decode(values))
    except Exception:  # as above
        return False
    return bool(np.abs(back - values).mean() < _ROUND_TRIP_TOLERANCE)


def _matrix_space(tags: dict[str, bytes]) -> MatrixSpace:
    to_d50 = np.array([_xyz(tags[f"{primary}XYZ"]) for primary in "rgb"]).T
    matrix = np.linalg.inv(SRGB_TO_D50) @ to_d50
    if not abs(np.linalg.det(matrix)) > 1e-3:
        raise ValueError("the primaries lie on one line")
    parsed = {tags[f"{primary}TRC"]: _curve(tags[f"{primary}TRC"]) for primary in "rgb"}
    red, green, blue = (parsed[tags[f"{primary}TRC"]] for primary in "rgb")
    return MatrixSpace((red, green, blue), matrix)


def _tags(icc: bytes) -> dict[str, bytes]:
    """The profile's tags by signature (ICC.1:2022, 7.3)."""
    (count,) = struct.unpack_from(">L", icc, 128)
    tags: dict[str, bytes] = {}
    parts: dict[tuple[int, int], bytes] = {}
    for index in range(min(count, 256)):
        name, offset, size = struct.unpack_from(">4sLL", icc, 132 + 12 * index)
        if (offset, size) not in parts:  # tags may share their data, but not overlap
            parts[offset, size] = icc[offset : offset + size]
        if sum(map(len, parts.values())) > len(icc):
            raise ValueError("tags that lie over one another")
        tags[name.decode("latin-1")] = parts[offset, size]
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
