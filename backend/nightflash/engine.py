"""The engine: networks and caches; Photo + Settings -> night."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from nightflash.colour import decode, encode
from nightflash.device import bfloat16_is_fast, choose_device
from nightflash.errors import NightFlashError
from nightflash.fullsize.transfer import transfer
from nightflash.light import Light, light_scene
from nightflash.models.descriptor import DepthNetwork, Detector, FeatureNetwork
from nightflash.models.registry import Choice, choose, load, weights_folder
from nightflash.photo import Photo
from nightflash.refine.optimise import Refined, refine
from nightflash.resample import area, working_dimensions
from nightflash.scene import Aim, Scene, analyse, check_aim
from nightflash.settings import Settings

Progress = Callable[[str, float], None]
OUT_OF_MEMORY = ("out of memory", "not enough memory", "insufficient memory", "allocate memory")
LINEAR_LIMIT = 1e4  # brighter values are no photo; keeps float32 arithmetic finite


@dataclass(frozen=True)
class Report:
    """What was done to make a night.

    Attributes:
        seconds: Wall time of every stage.
        networks: Role to network name.
        subject_box: (x, y, w, h) in pixels of the photo.
        subject_from: How the subject was found.
        working_size: (width, height).
        losses: Loss curve of the refinement, empty without it.
        device: Where the networks ran.
        notes: Sentences for the user.
    """

    seconds: dict[str, float]
    networks: dict[str, str]
    subject_box: tuple[float, float, float, float]
    subject_from: str
    working_size: tuple[int, int]
    losses: tuple[float, ...]
    device: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Night:
    """A photo taken at night, with everything it was made from.

    Attributes:
        photo: The night; encoding, EXIF and alpha are the daylight photo's. Working size for the
            quality ``preview``, else full size.
        scene, light: Depth, subject and light at the working size.
        refined: (3, h, w) linear picture after refinement, or None.
        report: What was done.
    """

    photo: Photo
    scene: Scene
    light: Light
    refined: Tensor | None
    report: Report


@dataclass
class _Stopwatch:
    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[float], None]]:
        self.progress(name, 0.0)
        start = time.perf_counter()
        yield lambda fraction: self.progress(name, fraction)
        self.seconds[name] = round(time.perf_counter() - start, 4)
        self.progress(name, 1.0)


@contextmanager
def _memory_told() -> Iterator[None]:
    """Turn what torch, numpy and OpenCV raise without memory into one sentence."""
    try:
        yield
    except (MemoryError, RuntimeError, cv2.error) as error:
        wanting = isinstance(error, MemoryError | torch.OutOfMemoryError)
        said = str(error).lower()
        if not wanting and not any(words in said for words in OUT_OF_MEMORY):
            raise
        raise NightFlashError(
            "There is not enough memory for this photo.",
            "Close other programs, use --device cpu, or scale the photo down.",
            code="no_memory",
        ) from error


class Engine:
    """Makes nights of photos; loads each network once.

    Args:
        networks: Which set of networks; ``auto`` takes the best present for each role.
        weights: Folder of network files; None for the user's own.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Raises:
        NightFlashError: The device or the networks asked for are not there.
    """

    def __init__(
        self, networks: Choice = "auto", weights: Path | None = None, device: str = "auto"
    ) -> None:
        self.device = choose_device(device)
        folder = weights_folder(weights)
        depth = choose("depth", networks, folder)
        detector = choose("detector", networks, folder)
        features = choose("features", networks, folder)
        self._missing = ""
        if networks == "auto" and (depth is None or detector is None):
            self._missing = (
                f"Some networks are missing in {folder}: rules of thumb stand in, and the result"
                " is better with them; see Networks in the README."
            )
        self._depth: DepthNetwork | None = load(depth, folder, self.device) if depth else None
        self._detector: Detector | None = load(detector, folder, self.device) if detector else None
        self._features: FeatureNetwork = load(features, folder, self.device)
        if bfloat16_is_fast(self.device):
            self._features = self._features.in_precision(torch.bfloat16)
        self.networks = {
            "depth": depth.name if depth else "geometry",
            "detector": detector.name if detector else "salience",
            "features": features.name,
        }

    def analyse(self, photo: Photo, settings: Settings, aim: Aim | None = None) -> Scene:
        """Estimate depth and find the main object of ``photo``."""
        height, width = photo.rgb.shape[:2]
        aim = aim or Aim()
        check_aim(aim, (width, height))
        size = working_dimensions(width, height, settings.working_size)
        small = np.clip(area(photo.rgb, size), -LINEAR_LIMIT, LINEAR_LIMIT)
        tensor = torch.from_numpy(small).permute(2, 0, 1).contiguous().to(self.device)
        names = self.networks["depth"], self.networks["detector"]
        with torch.no_grad():
            return analyse(
                tensor,
                (width, height),
                aim,
                depth=self._depth,
                detector=self._detector,
                several=settings.several,
                names=names,
            )

    @_memory_told()
    def render(
        self,
        photo: Photo,
        settings: Settings | None = None,
        aim: Aim | None = None,
        *,
        progress: Progress = lambda stage, fraction: None,
    ) -> Night:
        """Make the night of ``photo``.

        Args:
            photo: The daylight photo, linear.
            settings: What the user wants; defaults without.
            aim: Where the flash is aimed; without, NightFlash finds the main object.
            progress: Called with the stage's name and the fraction of it done, 0..1; it stops
                the work by raising ``Cancelled``.

        Raises:
            NightFlashError: The aim does not fit the photo, or the memory does not suffice.
        """
        settings = settings or Settings()
        watch = _Stopwatch(progress)
        with watch.stage("scene"):
            scene = self.analyse(photo, settings, aim)
        with watch.stage("light"):
            light = light_scene(scene, settings)
        losses: tuple[float, ...] = ()
        refined = None
        if settings.quality == "best" and not settings.is_daylight:
            with watch.stage("refine") as advance:
                done = self._refine(scene, light, settings, advance)
                refined, losses = decode(done.picture), done.losses
        if settings.quality == "preview":
            picture = light.shine(scene.photo, light.maps)
            night = picture.permute(1, 2, 0).cpu().numpy()
        elif settings.is_daylight:
            night = photo.rgb.copy()
        else:
            with watch.stage("full size") as advance:
                iso = settings.grain if settings.nightness > 0 or settings.flash else None
                night = transfer(
                    photo.rgb,
                    scene.photo,
                    light,
                    refined,
                    iso=iso,
                    seed=settings.seed,
                    progress=advance,
                )
        report = Report(
            seconds=watch.seconds,
            networks=self.networks,
            subject_box=scene.box,
            subject_from=scene.subject_from,
            working_size=(scene.photo.shape[2], scene.photo.shape[1]),
            losses=losses,
            device=str(self.device),
            notes=tuple(note for note in (scene.note, self._missing) if note),
        )
        return Night(photo.with_rgb(night), scene, light, refined, report)

    def _refine(
        self, scene: Scene, light: Light, settings: Settings, advance: Callable[[float], None]
    ) -> Refined:
        return refine(
            encode(scene.photo.clamp(0, 1)),
            encode(light.target.clamp(0, 1)),
            self._features,
            content=settings.content,
            by_brightness=settings.method == "flash",
            steps=settings.steps,
            progress=advance,
        )
