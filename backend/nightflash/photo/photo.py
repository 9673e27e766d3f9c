"""A photo in linear light."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nightflash.errors import NightFlashError

from .cicp import cicp_space
from .encoding import Codes, Encoding, Linear, full_scale, quantise, strips
from .pixels import EightBitPixels, LinearPixels, Pixels
from .profile import colour_model, hdr_code_points, is_writable, profile_space
from .spaces import LINEAR_SRGB, SRGB, ColourSpace, MatrixSpace


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture in linear light, with what is needed to store it the way it came.

    Args:
        pixels: Linear light, sRGB/Rec.709 primaries, white at D65, (H, W, 3). 1 is the white of
            the source; values below 0 and above 1 are legal (wide gamuts, float files).
        alpha: Opacity 0..1, float32 (H, W), or None.
        source: How the picture was encoded.

    Raises:
        NightFlashError: The arrays have the wrong shape or type, or hold NaN or infinity.
    """

    pixels: Pixels
    alpha: Linear | None = None
    source: Encoding = field(default_factory=Encoding)

    def __post_init__(self) -> None:
        if isinstance(self.pixels, np.ndarray):
            raise _bad("An array is no photo yet.", "Photo.from_linear makes one of it.")
        if isinstance(self.pixels, LinearPixels):
            _check_linear(self.pixels.kept)
        if self.alpha is None:
            return
        if self.alpha.shape != self.pixels.shape or self.alpha.dtype != np.float32:
            wanted = f"float32 {self.pixels.shape}"
            raise _bad(f"The alpha of this photo is {wanted}, not {_described(self.alpha)}.")
        require_finite(self.alpha, "The alpha channel")
        if self.alpha.min() < 0 or self.alpha.max() > 1:
            raise _bad("The alpha channel has values outside 0 to 1.")

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the pixels take."""
        return self.pixels.nbytes + (0 if self.alpha is None else self.alpha.nbytes)

    @property
    def rgb(self) -> Linear:
        """All of the linear light, float32 (H, W, 3): worked out anew where it came in 8 bits."""
        return self.pixels.linear()

    @property
    def height(self) -> int:
        """Rows."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.pixels.shape[1]

    @classmethod
    def from_linear(
        cls,
        array: npt.NDArray[np.floating[Any]],
        alpha: npt.NDArray[np.floating[Any]] | None = None,
        source: Encoding | None = None,
    ) -> Photo:
        """A photo from linear light.

        Args:
            array: Linear sRGB, floating dtype: grey (H, W) or (H, W, 1), grey and alpha (H, W, 2),
                RGB (H, W, 3), RGB and alpha (H, W, 4).
            alpha: Opacity 0..1 (H, W), where the array has none.
            source: How to store it; by default float, as it came.

        Raises:
            NightFlashError: Wrong shape or type, or values that are not finite.
        """
        array = np.asarray(array)
        if array.dtype.kind != "f":
            raise _bad(
                f"Linear light is floating point, not {array.dtype}.",
                "Photo.from_encoded takes integers.",
            )
        colour, opacity = _split(array, alpha)
        with np.errstate(over="ignore"):  # what overflows float32 is refused as infinite
            rgb = np.array(np.broadcast_to(colour, (*colour.shape[:2], 3)), np.float32)
            return cls(
                LinearPixels(rgb),
                None if opacity is None else np.array(opacity, np.float32),
                source or Encoding(32, grey=colour.shape[2] == 1),
            )

    @classmethod
    def from_encoded(
        cls,
        array: npt.NDArray[Any],
        source: Encoding | None = None,
        *,
        alpha: npt.NDArray[Any] | None = None,
        copy: bool = True,
    ) -> Photo:
        """A photo from the values that files and image editors hold.

        Three channels of 8 bits are kept as they are, a quarter of the memory of linear light.

        Args:
            array: Codes, uint8 or uint16, or encoded float32 values with a source of 32 bits;
                shapes as for `from_linear`.
            source: What the values mean (its ICC profile) and how to store the result; bits and
                grey are set from the array. By default sRGB.
            alpha: Opacity (H, W) in the array's type, where the array has none.
            copy: Whether what is kept is a copy; else the array is the photo's from now on.

        Raises:
            NightFlashError: Wrong shape or type, or values that are not finite.
        """
        array = np.asarray(array)
        bits = _bits(array, source)
        colour, opacity = _split(array, alpha)
        if opacity is not None and opacity.dtype != array.dtype:
            raise _bad(f"The alpha of this picture is {array.dtype}, not {opacity.dtype}.")
        if 0 in colour.shape:
            raise _bad("The picture has no pixels.")
        if bits == 32:
            require_finite(colour, "The picture")
        source = _usable(replace(source or Encoding(), bits=bits, grey=colour.shape[2] == 1))
        pixels = _pixels(colour, colour_space(source, bits), source, copy)
        if opacity is not None:
            opacity = opacity.astype(np.float32) / np.float32(full_scale(array.dtype))
        return cls(pixels, opacity, _returnable(source))

    def with_rgb(self, rgb: npt.NDArray[np.floating[Any]]) -> Photo:
        """The same photo with other light, (H, W, 3) linear sRGB; alpha and encoding stay."""
        return replace(self, pixels=LinearPixels(np.asarray(rgb, np.float32)))

    def to_encoded(self, bits: int | None = None) -> Codes:
        """The photo as codes of its source's encoding, alpha last where there is one.

        Where it is kept as these codes, they cannot be written.

        Args:
            bits: 8 or 16 for uint8 or uint16, rounded to nearest and clipped; 32 for float32,
                unclipped; None for as many as the source had.

        Returns:
            (H, W, 1 to 4): one colour channel if the source was grey and the photo still is;
            otherwise three. A photo that is no longer grey is sRGB, whatever grey profile it had.
        """
        bits = bits or self.source.bits
        colour = self._encoded_colour(colour_space(self.source, bits), bits)
        if self.source.grey:
            if (colour[..., :1] == colour[..., 1:]).all():
                colour = colour[..., :1].copy()
            elif self.source.icc is not None or self.source.cicp is not None:
                space = colour_space(replace(self.source, icc=None, cicp=None), bits)
                colour = self._encoded_colour(space, bits)
        if self.alpha is None:
            return colour
        return np.concatenate([colour, quantise(self.alpha, bits)[..., np.newaxis]], axis=-1)

    def _encoded_colour(self, space: ColourSpace, bits: int) -> Codes:
        pixels = self.pixels
        if bits == 8 and isinstance(pixels, EightBitPixels) and pixels.space is space:
            codes = pixels.kept.view()
            codes.flags.writeable = False
            return codes
        dtype = {8: np.uint8, 16: np.uint16, 32: np.float32}[bits]
        colour: Codes = np.empty((*pixels.shape, 3), dtype)
        for rows in strips(*pixels.shape):
            colour[rows] = _codes(space, pixels.linear(rows), bits)
        return colour


def colour_space(source: Encoding, bits: int) -> ColourSpace:
    """The space of codes of so many bits: the profile's; else sRGB, linear for floats."""
    if source.icc is not None and (space := profile_space(source.icc)) is not None:
        return space
    if source.cicp is not None and (space := cicp_space(source.cicp)) is not None:
        return space
    return LINEAR_SRGB if bits == 32 else SRGB


def _codes(space: ColourSpace, linear: Linear, bits: int) -> Codes:
    if bits == 8 and isinstance(space, MatrixSpace):
        return space.eight_bits(linear)
    return quantise(space.encode(linear), bits)


def _pixels(colour: Codes, space: ColourSpace, source: Encoding, copy: bool) -> Pixels:
    """Pixels of codes (H, W, 1 or 3); as codes where a night can be kept in as many bits."""
    is_hdr = source.cicp is not None and source.cicp.is_hdr
    fits = colour.dtype == np.uint8 and colour.shape[2] == 3 and not is_hdr
    if fits and isinstance(space, MatrixSpace):
        return EightBitPixels(np.array(colour) if copy else np.ascontiguousarray(colour), space)
    rgb = np.empty((*colour.shape[:2], 3), np.float32)
    for rows in strips(*colour.shape[:2]):
        rgb[rows] = space.decode(colour[rows])
    return LinearPixels(rgb)


def _bits(array: npt.NDArray[Any], source: Encoding | None) -> int:
    bits = {"uint8": 8, "uint16": 16, "float32": 32}.get(str(array.dtype))
    if bits is None or (bits == 32) != (source is not None and source.bits == 32):
        raise _bad(
            f"An encoded picture is uint8 or uint16, not {array.dtype}.",
            "Photo.from_linear takes floating point.",
        )
    return bits


def _check_linear(rgb: Linear) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.float32:
        raise _bad(f"A photo is float32 (H, W, 3), not {_described(rgb)}.")
    if 0 in rgb.shape:
        raise _bad("The picture has no pixels.")
    require_finite(rgb, "The picture")


def _usable(source: Encoding) -> Encoding:
    """The encoding without a profile or code points that cannot describe it.

    A grey picture with an sRGB profile stays grey, without it; with another RGB profile it is an
    RGB picture of three equal channels.
    """
    if source.icc is not None and (cicp := hdr_code_points(source.icc)) is not None:
        source = replace(source, icc=None, cicp=cicp)
    if source.cicp is not None and cicp_space(source.cicp) is None:
        code_points = f"{source.cicp.primaries}/{source.cicp.transfer}"
        words = f"The colour space of the photo (CICP {code_points}) is not known here"
        source = _noted(replace(source, cicp=None), f"{words} and was taken for sRGB.")
    if source.icc is None:
        return source
    model, space = colour_model(source.icc), profile_space(source.icc)
    if space is None or (not source.grey and model != "RGB") or model == "CMYK":
        words = "The colour profile of the photo is damaged or of another kind than the photo"
        return _noted(replace(source, icc=None), f"{words} and was left out.")
    if source.grey and model == "RGB":
        return replace(source, icc=None) if space is SRGB else replace(source, grey=False)
    return source


def _returnable(source: Encoding) -> Encoding:
    """The encoding without a profile by which values can be read and not written."""
    if source.icc is None or is_writable(source.icc):
        return source
    sentence = "The colour profile of the photo leads one way only; the result is in sRGB."
    return _noted(replace(source, icc=None), sentence)


def _noted(source: Encoding, sentence: str) -> Encoding:
    return replace(source, notes=(*source.notes, sentence))


def require_finite(values: npt.NDArray[Any], subject: str) -> None:
    """Raise a `NightFlashError` about the subject if any of the values is NaN or infinite."""
    if np.isfinite(values.min()) and np.isfinite(values.max()):
        return
    count = int(np.count_nonzero(~np.isfinite(values)))
    noun = "value that is no finite number" if count == 1 else "values that are not finite numbers"
    raise _bad(f"{subject} contains {count} {noun} (NaN or infinity).")


def _split(
    array: npt.NDArray[Any], alpha: npt.NDArray[Any] | None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    """Colour (H, W, 1 or 3), and alpha (H, W) from the last channel or beside it."""
    if array.ndim == 2:
        array = array[..., np.newaxis]
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4):
        raise _bad(f"A picture has the shape (H, W) or (H, W, 1 to 4), not {array.shape}.")
    if array.shape[2] % 2:
        return array, None if alpha is None else np.asarray(alpha)
    if alpha is not None:
        raise _bad("The picture has two alpha channels: one of its own and one given beside.")
    return array[..., :-1], array[..., -1]


def _described(array: npt.NDArray[Any]) -> str:
    return f"{array.dtype} {array.shape}"


def _bad(sentence: str, remedy: str = "") -> NightFlashError:
    return NightFlashError(sentence, remedy, code="bad_photo")
