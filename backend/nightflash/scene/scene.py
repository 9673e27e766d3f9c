"""What the photo shows: depth and the main object, at the working size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor

from nightflash.models.descriptor import Detection, Detector
from nightflash.scene.subject import Subject

MOST_FOUND = 8  # objects of a photo that are remembered, each a plane of the working size


@dataclass(frozen=True)
class Survey:
    """What the photo shows whatever the flash is aimed at; objects are looked for when asked for.

    Attributes:
        photo: (3, h, w) linear RGB at the working size.
        encoded: The same, sRGB-encoded 0..1.
        inverse_depth: (h, w), see `Scene`; a guess where no network gave it.
        detector: Finds objects, or None where there is none.
        depth_from: Which network or rule gave the depth.
        metres: See `Scene`.
        guessed: Whether the depth came from no network.
    """

    photo: Tensor
    encoded: Tensor
    inverse_depth: Tensor
    detector: Detector | None
    depth_from: str
    metres: float | None = None
    guessed: bool = False
    _found: OrderedDict[Hashable, Subject] = field(default_factory=OrderedDict, compare=False)

    def once(self, key: Hashable, find: Callable[[], Subject]) -> Subject:
        """What ``find`` finds for ``key``, of which the last few are remembered."""
        found = self._found[key] if key in self._found else find()
        self._found[key] = found
        self._found.move_to_end(key)
        while len(self._found) > MOST_FOUND:
            self._found.popitem(last=False)
        return found

    @cached_property
    def detections(self) -> tuple[Detection, ...]:
        """The objects that the detector finds, boxes in pixels of the working size."""
        return tuple(self.detector.detect(self.encoded)) if self.detector is not None else ()


@dataclass(frozen=True)
class Scene:
    """Depth and subject of one photo. It depends on the photo and the aim alone.

    Attributes:
        photo: (3, h, w) linear RGB at the working size.
        inverse_depth: (h, w) inverse depth, near is large, 0 infinitely far, 1 about the nearest
            (percentiles, so single pixels lie outside), edges on the photo's.
        subject: (h, w) soft mask 0..1 of the main object.
        box: (x, y, w, h) of the subject in pixels of the full-size photo.
        size: (width, height) of the full-size photo.
        depth_from: Which network or rule gave the depth.
        subject_from: Which network, rule or user's aim gave the subject.
        metres: Depth along the optical axis where the inverse depth is 1, of metric depth. None
            of relative depth: its scale is unknown, and where its zero lies is a guess.
        note: A sentence for the user when no clear object was found, or empty.
    """

    photo: Tensor
    inverse_depth: Tensor
    subject: Tensor
    box: tuple[float, float, float, float]
    size: tuple[int, int]
    depth_from: str
    subject_from: str
    metres: float | None = None
    note: str = ""

    @property
    def working_box(self) -> tuple[float, float, float, float]:
        """The subject's box (x, y, w, h) in pixels of the working size."""
        h, w = self.subject.shape
        sx, sy = w / self.size[0], h / self.size[1]
        x, y, bw, bh = self.box
        return x * sx, y * sy, bw * sx, bh * sy
