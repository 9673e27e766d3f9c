"""What is to be done with a photo, before its pictures are known to a backend.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nightflash.client.protocol import Header, Message, Pixels
from nightflash.client.reduced import enlarged


@dataclass(frozen=True)
class Order:
    """A request for work.

    Attributes:
        request: ``analyse``, ``preview`` or ``render``.
        photo, mask, strokes: Pictures; None for none.
        aim: ``box``, ``point`` and ``clicks`` in pixels of the photo.
        fields: Further fields of the request.
        parts: Whether pictures come back in parts.
    """

    request: str
    photo: Pixels
    mask: Pixels | None
    strokes: Pixels | None
    aim: Mapping[str, Any]
    fields: Mapping[str, Any] = field(default_factory=dict)
    parts: bool = False

    def header(self, handle: Callable[[Pixels], str]) -> Header:
        """The request, with what ``handle`` gives for each picture, which it may have to send."""
        aim: dict[str, Any] = dict(self.aim)
        for name, drawn in (("mask", self.mask), ("strokes", self.strokes)):
            aim[name] = None if drawn is None else handle(drawn)
        return {
            "request": self.request,
            "photo": handle(self.photo),
            "aim": {name: value for name, value in aim.items() if value is not None},
            **({"parts": True} if self.parts else {}),
            **self.fields,
        }

    def told_of(self, whole: Order, result: Message) -> Message:
        """A result of this order as one of the whole photo's."""
        if self.photo is whole.photo:
            return result
        layouts = whole.photo.layout, self.photo.layout
        return replace(result, header=enlarged(result.header, *layouts))
