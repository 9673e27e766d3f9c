"""The layer that the night is made of: found, and read as the user sees it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from gi.repository import Gimp
from nightflash.client.protocol import Layout, Pixels
from nightflash.errors import NightFlashError

from plugin import pixels
from plugin.nights import require_there, shape
from plugin.outline import Outline
from plugin.record import Record, digest
from plugin.texts import translated as _

PERCEPTUAL_8 = (Gimp.Precision.U8_NON_LINEAR, Gimp.Precision.U8_PERCEPTUAL)


@dataclass(frozen=True)
class Source:
    """The photo that the night is made of, as it was when the filter was called.

    GIMP goes on meanwhile, so that later nothing of this needs the layer to be there.

    Attributes:
        image, layer: Where the photo lies.
        size: Width and height in pixels, of the layer with its filters.
        offsets: Of the corner of what is seen in the image; filters may have moved it.
        shift: Of that corner from the layer's own.
        shape: Width, height and whether it is grey, of the layer itself.
        alpha: Whether what is seen has alpha.
        night: The night that is to be edited again, None where a new one is.
        record: How that one was made.
        outline: How the outline of that night's object was corrected.
        selects: Whether something is selected, so that the night's own aim is not taken.
        note: What the user has to know of it, or empty.
    """

    image: Any
    layer: Any
    size: tuple[int, int]
    offsets: tuple[int, int]
    shift: tuple[int, int]
    shape: tuple[int, int, bool]
    alpha: bool
    _pixels: Pixels
    _selection: Pixels | None
    _content: Future[str]
    night: Any = None
    record: Record | None = None
    outline: Outline = field(default_factory=Outline)
    selects: bool = False
    note: str = ""

    def pixels(self) -> Pixels:
        """What is seen of it, without its mask, in the cheapest format that loses nothing."""
        return self._pixels

    def selection(self) -> Pixels | None:
        """The selection on the layer, or what a night keeps of one; soft edges kept, or None."""
        return self._selection

    def selected_now(self) -> Source:
        """The same photo with the selection as it is by now; none where that misses the layer."""
        try:
            require_there(self.image, self.layer)
            found = _selection(self.image, self.layer, self.size, self.offsets)
        except NightFlashError:
            found = None
        return replace(self, _selection=found)

    def content(self) -> str:
        """The `digest` of its pixels."""
        return self._content.result()

    def on_layer(self, point: tuple[float, float]) -> tuple[float, float]:
        """A point of the image in pixels of the photo."""
        x, y = self.offsets
        return point[0] - x, point[1] - y


def read(image: Any, layer: Any) -> Source:
    """What is seen of a layer.

    Raises:
        NightFlashError: It does not serve, with what to do.
    """
    _check(layer)
    with _as_seen(layer) as seen:
        size = seen.get_width(), seen.get_height()
        offsets, own = seen.get_offsets()[1:], layer.get_offsets()[1:]
        alpha = seen.has_alpha()
        eight_bits = image.get_precision() in PERCEPTUAL_8 and _is_srgb(image)
        colours = 1 if seen.is_gray() else 3
        layout = Layout(*size, "u8" if eight_bits else "float", colours + alpha)
        photo = pixels.read(seen, layout, (0, 0))
    selection = _selection(image, layer, size, tuple(offsets))
    require_there(image, layer)  # else what was read is nothing
    shift = offsets[0] - own[0], offsets[1] - own[1]
    meanwhile = ThreadPoolExecutor(1)  # nobody waits for it before the night is there
    content = meanwhile.submit(digest, photo)
    meanwhile.shutdown(wait=False)
    return Source(
        *(image, layer, size, tuple(offsets), shift, shape(layer), alpha),
        *(photo, selection, content),
    )


def _check(layer: Any) -> None:
    kinds = (
        (Gimp.GroupLayer, _("a layer group")),
        (Gimp.LayerMask, _("a layer mask")),
        (Gimp.Channel, _("a channel")),
    )
    for kind, name in kinds:
        if isinstance(layer, kind):
            raise NightFlashError(
                _("Night with Flash works on one layer, and this is {}.").format(name),
                _("Select the layer with the photo."),
            )
    if layer.is_indexed():
        raise NightFlashError(
            _("An indexed image has no colours for the night."),
            _("Change it with Image > Mode > RGB."),
        )


@contextmanager
def _as_seen(layer: Any) -> Iterator[Any]:
    """The layer; where it has filters that are on, a copy for a while that they are merged into."""
    if not any(one.get_visible() for one in layer.get_filters()):
        yield layer
        return
    copy = layer.copy()
    try:
        if not copy.merge_filters():
            raise NightFlashError(
                _("The filters on the layer cannot be merged."),
                _("Merge them with the button beside the layer's name, or switch them off."),
            )
        yield copy
    finally:
        copy.delete()


def _selection(
    image: Any, layer: Any, size: tuple[int, int], offsets: tuple[int, int]
) -> Pixels | None:
    if Gimp.Selection.is_empty(image):
        return None
    touches, *_rest = layer.mask_intersect()
    if not touches:
        raise NightFlashError(
            _("The selection does not touch the layer."),
            _("Select the main object on the layer, or nothing."),
            code="bad_aim",
        )
    return pixels.read(image.get_selection(), Layout(*size, "u8", 1), offsets, linear=True)


def _is_srgb(image: Any) -> bool:
    profile = image.get_color_profile()
    if profile is None:
        return True
    return any(
        profile.is_equal(known())
        for known in (Gimp.ColorProfile.new_rgb_srgb, Gimp.ColorProfile.new_d65_gray_srgb_trc)
    )
