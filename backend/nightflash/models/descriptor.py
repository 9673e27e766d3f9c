"""What a network is and what it can do, in the same words for every network."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Literal, Protocol, Self, TypeVar, runtime_checkable

import torch
from torch import Tensor

from nightflash.models.weights import WeightsFile

Role = Literal["depth", "subject", "detector", "features"]
NetworkSet = Literal["official", "lite", "builtin", "rules"]
Place = Literal["indoors", "outdoors"]


class DepthNetwork(Protocol):
    """Estimates how near each part of one picture is."""

    def inverse_depth(self, rgb: Tensor) -> Tensor:
        """Estimate inverse depth.

        Args:
            rgb: (3, H, W) float32, encoded sRGB 0..1, any size and aspect.

        Returns:
            (h, w) float32 raw relative inverse depth, near = large, scale and offset unknown, at
            the network's own resolution and covering the same field of view. Of a metric network
            1 / metres along the optical axis, more than 0.
        """
        ...


@runtime_checkable
class SeveralDepths(Protocol):
    """A ``DepthNetwork`` that sees several pictures at once."""

    def inverse_depths(self, rgb: Tensor) -> Tensor:
        """Inverse depth (N, h, w) of pictures (N, 3, H, W), else as ``DepthNetwork`` has it."""
        ...


@dataclass(frozen=True, eq=False)
class MainObject:
    """What a network takes for the main object of a picture, equal to itself alone.

    Attributes:
        mask: (h, w) float32 0..1, the object's share of each place, at the network's own
            resolution and covering the same field of view.
        clear: Whether the network is sure enough that there is one; else the mask is its guess.
    """

    mask: Tensor
    clear: bool


class SubjectNetwork(Protocol):
    """Finds the main object of a picture, whatever it is."""

    def main_object(self, rgb: Tensor) -> MainObject:
        """Find the main object.

        Args:
            rgb: (3, H, W) float32, encoded sRGB 0..1, any size and aspect.
        """
        ...


@runtime_checkable
class SeveralSubjects(Protocol):
    """A ``SubjectNetwork`` that sees several pictures at once."""

    def main_objects(self, rgb: Tensor) -> list[MainObject]:
        """The main objects of pictures (N, 3, H, W)."""
        ...


@dataclass(frozen=True)
class Detection:
    """One object found in a picture.

    Attributes:
        box: (x, y, width, height) in pixels of the picture given, clipped to it, origin top left.
        score: The detector's confidence, 0..1.
        label: COCO class name, such as ``elephant``.
        mask: (H, W) 0..1 of the whole picture, the probability of the object, in any floating
            precision and as coarse as the detector gives it; None where it gives boxes only.
    """

    box: tuple[float, float, float, float]
    score: float
    label: str
    mask: Tensor | None = None


class Detector(Protocol):
    """Finds objects in a picture."""

    def detect(self, rgb: Tensor, score: float = 0.3) -> list[Detection]:
        """Find objects.

        Args:
            rgb: (3, H, W) float32, encoded sRGB 0..1, any size and aspect.
            score: Least confidence of an object to be reported, 0..1.

        Returns:
            The objects, most confident first; overlapping boxes of one class are reduced to the
            best. Empty where nothing is found.
        """
        ...


class FeatureNetwork(Protocol):
    """Gives features of what is in a picture, differentiable with respect to it.

    Attributes:
        name: The descriptor's name.
        content_scale: One factor that brings the mean squared difference of two pictures'
            features to the scale of torchvision's VGG19 at conv3_1.
    """

    @property
    def name(self) -> str:
        """The descriptor's name."""
        ...

    @property
    def content_scale(self) -> float:
        """Factor from this network's content loss to that of torchvision's VGG19."""
        ...

    def features(self, rgb: Tensor, checkpoint: Callable[[], None] | None = None) -> Tensor:
        """Compute features.

        Args:
            rgb: (1, 3, H, W) encoded sRGB, nominally 0..1; any real values are accepted, since an
                optimiser may leave the range. Sides under 4 pixels are extended to 4 by repeating
                the edge.
            checkpoint: Called after every layer, on the way forward and on the way back; an
                exception it raises stops the work.

        Returns:
            (1, C, H // 4, W // 4) float32 whatever the precision of the network.
        """
        ...

    def in_precision(self, dtype: torch.dtype) -> Self:
        """Return a copy that computes in ``dtype``, such as ``torch.bfloat16``.

        A copy, because networks handed out by the registry are shared and rounding their weights
        cannot be undone.
        """
        ...


Network = DepthNetwork | SubjectNetwork | Detector | FeatureNetwork
N = TypeVar("N", bound=Network, covariant=True)


@dataclass(frozen=True)
class NetworkDescriptor(Generic[N]):
    """All that is known of a network before its weights are read.

    Attributes:
        name: Unique short name, such as ``tcmonodepth_small``.
        role: What it does.
        network_set: Which set it belongs to.
        title: One line for people.
        licence: Of the weights.
        source: Where the weights come from: repository@commit and path.
        load: Reads a weights file (None for a network without one) and gives the network on the
            device, ready to use. Call it through ``registry.load``, which checks the file first.
        files: The files any one of which holds its weights, the one to download first; empty where
            there is nothing to download.
        shipped: The file of its weights that is a part of NightFlash, or None.
        automatic: Whether the choice ``auto`` may take it.
        for_gpu: Whether it is so slow on a CPU that ``auto`` takes it on a GPU only.
        slow: Whether a preview shows what a quicker network finds until this one has answered.
        published_method: Whether the published method works with networks of this make.
        metric: Where a network has learnt whose depth is metric; None of relative depth.
        memory: Bytes of the device's memory that it takes at work, weights included.
        preference: Within one role and set, the higher is taken first.
    """

    name: str
    role: Role
    network_set: NetworkSet
    title: str
    licence: str
    source: str
    load: Callable[[Path | None, torch.device], N]
    files: tuple[WeightsFile, ...] = ()
    shipped: Path | None = None
    automatic: bool = True
    for_gpu: bool = False
    slow: bool = False
    published_method: bool = False
    metric: Place | None = None
    memory: int = 0
    preference: int = 0

    def present(self, folder: Path) -> WeightsFile | None:
        """The first of its files that lies in ``folder``, under the name it has there, or None."""
        for file in self.files:
            for name in (file.name, *file.aliases):
                if os.path.isfile(folder / name):  # noqa: PTH113  (Path.is_file raises without rights)
                    return replace(file, name=name, aliases=())
        return None

    def terms(self, file: WeightsFile | None) -> str:
        """The licence of the network, and of what its file came in."""
        return "; ".join(filter(None, (self.licence, file.licence if file else "")))
