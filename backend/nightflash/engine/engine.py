"""The engine: networks and caches; Photo + Settings -> night."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from nightflash.engine.cache import Cache
from nightflash.engine.finder import Finder
from nightflash.engine.grey import in_grey, stays_grey, without_colour
from nightflash.engine.memory import memory_told
from nightflash.engine.night import Night, Preview, Report, subject_metres
from nightflash.engine.working import Working, digest
from nightflash.fullsize.region import Region
from nightflash.fullsize.transfer import close_up, transfer
from nightflash.imaging.colour import decode, encode
from nightflash.imaging.resample import area
from nightflash.light import PLACES, Incidence, Light, incidence, light_scene
from nightflash.models import registry
from nightflash.models.choice import (
    Choice,
    Chosen,
    depth_of_published_method,
    metric_pair,
    recommended_for_published_method,
    wants_midas,
)
from nightflash.models.descriptor import (
    DepthNetwork,
    Detector,
    FeatureNetwork,
    NetworkDescriptor,
)
from nightflash.models.device import bfloat16_is_fast, capacity, choose_device
from nightflash.models.weights import weights_folder
from nightflash.photo import Photo
from nightflash.photo.encoding import Linear
from nightflash.refine.optimise import Refined, refine
from nightflash.scene import (
    Aim,
    DepthSource,
    Scene,
    Survey,
    aim_at,
    check_aim,
    settled,
    survey,
    working_aim,
)
from nightflash.settings import Settings
from nightflash.stages import Progress

CACHE_BYTES = 128 * 2**20
SURVEY_PLANES, SCENE_PLANES = 24, 8  # floats per working pixel, features and incidence included


@dataclass
class _Surveyed:
    """What the cache holds of one photo."""

    survey: Survey
    features: Tensor | None = None


@dataclass
class _Aimed:
    """What the cache holds of one photo and aim."""

    surveyed: _Surveyed
    scene: Scene
    provisional: bool
    _incidence: dict[str, Incidence] = field(default_factory=dict)

    def incidence(self, flash_from: str) -> Incidence:
        """How a flash at that place meets the scene; the last place is remembered."""
        if flash_from not in self._incidence:
            self._incidence = {flash_from: incidence(self.scene, PLACES[flash_from])}
        return self._incidence[flash_from]


@dataclass(frozen=True)
class _Networks:
    """The networks that work, read; those for the main object are the finder's."""

    depth: tuple[DepthSource, ...]
    detector: Detector | None
    features: FeatureNetwork


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


class Engine:
    """Makes nights of photos, for one thread; reads each network once and remembers scenes.

    Args:
        networks: Which networks, as ``Choice.of`` reads them; ``auto`` takes the best present for
            each role.
        weights: Folder of network files; None for the user's own.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        cache_bytes: Memory for what is known of photos seen before.

    Attributes:
        device: Where the networks run.
        folder: Of network files.
        networks: Role to name of the network or rule chosen, for depth by the method ``flash``;
            the published method may take another.

    Raises:
        NightFlashError: The device or the networks asked for are not there.
    """

    def __init__(
        self,
        networks: str = "auto",
        weights: Path | None = None,
        device: str = "auto",
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self.device = choose_device(device)
        self.folder = weights_folder(weights)
        choice, room = Choice.of(networks), capacity(self.device)
        self._chosen = Chosen.of(choice, self.folder, room)
        self._depth: tuple[NetworkDescriptor[DepthNetwork], ...] = metric_pair(
            choice, self.folder, room
        )
        if not self._depth and self._chosen.depth is not None:
            self._depth = (self._chosen.depth,)
        self._published_depth = depth_of_published_method(choice, self.folder, room)
        subject = self._chosen.subject
        self._finder = Finder(subject, self.folder, self.device) if subject else None
        finds = subject or self._chosen.detector
        self._missing = ""
        if choice.network_set == "auto" and (not self._depth or finds is None):
            self._missing = (
                f"Networks that suit this device are missing in {self.folder}: rules of thumb"
                " stand in, and the result is better with them. `nightflash models download` or, in"
                " GIMP, the filter's button Backend… fetches them."
            )
        self._without_midas = ""
        if self._published_depth is None and wants_midas(choice):
            best = recommended_for_published_method(room)
            self._without_midas = (
                "The published method works with depth by MiDaS, and no network of MiDaS that"
                f" suits this device is in {self.folder}, so another took its place:"
                f" 'nightflash models download {best.name}' fetches one."
            )
        self.networks = {
            "depth": "geometry",
            "subject": finds.name if finds else "salience",
            **{str(role): network.name for role, network in self._chosen.by_role.items()},
        }
        if self._depth:
            self.networks["depth"] = " or ".join(network.name for network in self._depth)
        self._loaded: _Networks | None = None
        self._cache: Cache[object, object] = Cache(cache_bytes)

    @memory_told()
    def load(self) -> _Networks:
        """Read the networks, or return them if they are there.

        Raises:
            NightFlashError: A file is missing or damaged.
        """
        if self._loaded is None:
            chosen, folder, device = self._chosen, self.folder, self.device
            vgg = registry.load(chosen.features, folder, device)
            if bfloat16_is_fast(device):
                vgg = vgg.in_precision(torch.bfloat16)
            if self._finder is not None:
                self._finder.load()
            self._loaded = _Networks(
                tuple(self._source(network) for network in self._depth),
                registry.load(chosen.detector, folder, device) if chosen.detector else None,
                vgg,
            )
        return self._loaded

    def release(self) -> None:
        """Give the memory of networks and scenes back; the next use reads the networks again."""
        self._loaded = None
        self._cache.clear()
        if self._finder is not None:
            self._finder.release()
        registry.unload(self.device)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def analyse(self, photo: Photo, settings: Settings, aim: Aim | None = None) -> Scene:
        """Estimate depth and find the main object of ``photo``."""
        return self._aimed(*_working(photo, settings, aim), settings, lambda: None).scene

    def preview(
        self,
        working: Working,
        settings: Settings,
        aim: Aim | None = None,
        checkpoint: Callable[[], None] | None = None,
    ) -> Preview:
        """Light a photo at its working size; milliseconds where photo and aim were seen before.

        Without ``checkpoint`` it waits for no slow network: until that has found the main object,
        a quick one's guess is lit, and the preview is provisional.

        Args:
            working: The photo.
            settings: What the user wants.
            aim: Where the flash is aimed, as ``working_aim`` gives it.
            checkpoint: Called while a slow network is waited for; it stops the work by raising.

        Raises:
            NightFlashError: The memory does not suffice.
        """
        with memory_told(), torch.no_grad():
            known = self._aimed(working, aim or Aim(), settings, checkpoint)
            light = _lit(known, settings)
            picture = light.shine(known.scene.photo, light.maps)
        if self._finder is not None and known.provisional:
            # Only now: nothing shall wait for it.
            self._finder.start(working.key, known.surveyed.survey.encoded)
        return Preview(picture, known.scene, light, known.provisional)

    @memory_told()
    @torch.no_grad()
    def close_up(
        self,
        preview: Preview,
        photo: Linear,
        region: Region,
        settings: Settings,
        checkpoint: Callable[[], None] = lambda: None,
    ) -> Linear:
        """Make a region of the night that quality ``fast`` gives, at full size to the same pixels.

        Args:
            preview: Of the photo, with the same settings.
            photo: (h, w, 3) linear: the region of the photo, at full size or scaled.
            region: Where that lies.
            settings: What the user wants.
            checkpoint: Called often; it stops the work by raising.

        Returns:
            (h, w, 3) linear night.

        Raises:
            NightFlashError: The memory does not suffice.
        """
        day = preview.scene.photo
        if settings.is_daylight:
            night = photo.copy()
        else:
            night = close_up(
                *(photo, region, day, preview.light),
                iso=_iso(settings),
                seed=settings.seed,
                progress=lambda fraction: checkpoint(),
            )
        return in_grey(night) if stays_grey(day, settings) else night

    @memory_told()
    def render(
        self,
        photo: Photo,
        settings: Settings | None = None,
        aim: Aim | None = None,
        *,
        progress: Progress = lambda stage, fraction: None,
        checkpoint: Callable[[], None] | None = None,
    ) -> Night:
        """Make the night of ``photo``.

        Args:
            photo: The daylight photo, linear.
            settings: What the user wants; defaults without.
            aim: Where the flash is aimed; without, NightFlash finds the main object.
            progress: Called with the stage's name and the fraction of it done, 0..1; it stops
                the work by raising ``Cancelled``.
            checkpoint: Called often where the work is slow; it stops the work likewise.

        Raises:
            NightFlashError: The aim does not fit the photo, or the memory does not suffice.
        """
        settings = settings or Settings()
        watch = _Stopwatch(progress)
        with watch.stage("scene"):
            working, aim = _working(photo, settings, aim)
            known = self._aimed(working, aim, settings, checkpoint or (lambda: None))
            scene = known.scene
        with watch.stage("light"):
            light = _lit(known, settings)
        losses: tuple[float, ...] = ()
        refined = None
        if settings.quality == "best" and not settings.is_daylight:
            with watch.stage("refine") as advance:
                done = self._refine(known.surveyed, light, settings, advance, checkpoint)
                refined, losses = decode(done.picture), done.losses
        if settings.quality == "preview":
            picture = light.shine(scene.photo, light.maps)
            night = picture.permute(1, 2, 0).cpu().numpy()
        elif settings.is_daylight:
            night = photo.rgb.copy()
        else:
            with watch.stage("full size") as advance:
                night = transfer(
                    photo.rgb,
                    scene.photo,
                    light,
                    refined,
                    iso=_iso(settings),
                    seed=settings.seed,
                    progress=advance,
                )
        if stays_grey(scene.photo, settings):
            night = in_grey(night)  # the grain and what refinement has changed, too
        report = Report(
            seconds=watch.seconds,
            networks=self.networks_of(scene),
            subject_box=scene.box,
            subject_from=scene.subject_from,
            subject_metres=subject_metres(scene),
            working_size=working.dimensions,
            losses=losses,
            device=str(self.device),
            notes=self.notes(scene, settings.method),
        )
        alpha = photo.alpha
        if alpha is not None and settings.quality == "preview":
            alpha = area(alpha[..., None], working.dimensions)[..., 0]
        return Night(replace(photo, rgb=night, alpha=alpha), scene, light, refined, report)

    def networks_of(self, scene: Scene) -> dict[str, str]:
        """Role to name of the network or rule that ``scene`` was made with."""
        return {**self.networks, "depth": scene.depth_from}

    def notes(self, scene: Scene, method: str) -> tuple[str, ...]:
        """Sentences for the user about what ``scene`` was made with, for a method."""
        without_midas = self._without_midas if method == "published" else ""
        return tuple(note for note in (scene.note, self._missing, without_midas) if note)

    def _depth_by(self, method: str) -> tuple[NetworkDescriptor[DepthNetwork], ...]:
        """The networks for depth of a method; none where rules do it."""
        if method != "published":
            return self._depth
        own = self._published_depth or self._chosen.depth
        return (own,) if own else ()

    def _source(self, network: NetworkDescriptor[DepthNetwork]) -> DepthSource:
        loaded = registry.load(network, self.folder, self.device)
        return DepthSource(network.name, loaded, network.metric)

    @torch.no_grad()
    def _surveyed(self, working: Working, method: str) -> _Surveyed:
        chosen = self._depth_by(method)
        key = (working.key, tuple(network.name for network in chosen))
        found = self._cache.get(key)
        if isinstance(found, _Surveyed):
            return found
        networks = self.load()
        depth = networks.depth
        if chosen != self._depth:
            depth = tuple(self._source(network) for network in chosen)
        photo = torch.from_numpy(working.picture).permute(2, 0, 1).contiguous().to(self.device)
        fresh = _Surveyed(survey(photo, depth, networks.detector))
        self._cache.put(key, fresh, _planes(SURVEY_PLANES, working))
        return fresh

    @torch.no_grad()
    def _aimed(
        self,
        working: Working,
        aim: Aim,
        settings: Settings,
        checkpoint: Callable[[], None] | None = None,
    ) -> _Aimed:
        """What is known of a photo and an aim.

        Args:
            working, aim, settings: The photo, and what the user wants.
            checkpoint: Called while a slow network is waited for; without it none is.
        """
        aim = settled(aim)
        surveyed = self._surveyed(working, settings.method)
        encoded, depth_from = surveyed.survey.encoded, surveyed.survey.depth_from
        main, provisional = None, False
        if self._finder is not None and (aim.mask is None or aim.clicks):
            if checkpoint is None:
                main, provisional = self._finder.glance(working.key, encoded)
            else:
                main = self._finder.find(working.key, encoded, checkpoint)
        if checkpoint is not None:
            checkpoint()
        drawn = tuple(None if each is None else digest(each) for each in (aim.mask, aim.strokes))
        aimed = (*drawn, aim.box, aim.point, aim.clicks)
        key = (working.key, depth_from, aimed, settings.several, provisional)
        found = self._cache.get(key)
        if isinstance(found, _Aimed):
            return found
        scene = aim_at(surveyed.survey, main, aim, working.size, settings.several)
        fresh = _Aimed(surveyed, scene, provisional)
        self._cache.put(key, fresh, _planes(SCENE_PLANES, working))
        return fresh

    def _refine(
        self,
        surveyed: _Surveyed,
        light: Light,
        settings: Settings,
        advance: Callable[[float], None],
        checkpoint: Callable[[], None] | None,
    ) -> Refined:
        network = self.load().features
        encoded = surveyed.survey.encoded
        if surveyed.features is None:
            with torch.no_grad():
                surveyed.features = network.features(encoded[None], checkpoint)
        return refine(
            encoded,
            encode(light.target.clamp(0, 1)),
            network,
            content=settings.content,
            by_brightness=settings.method == "flash",
            steps=settings.steps,
            features=surveyed.features,
            progress=advance,
            checkpoint=checkpoint,
        )


def _working(photo: Photo, settings: Settings, aim: Aim | None) -> tuple[Working, Aim]:
    """The photo and the aim at the working size, checked at the full one."""
    aim = aim or Aim()
    size = photo.width, photo.height
    check_aim(aim, size)
    working = Working.of(photo, settings.working_size)
    return working, working_aim(aim, size, working.dimensions)


def _lit(known: _Aimed, settings: Settings) -> Light:
    if stays_grey(known.scene.photo, settings):
        settings = without_colour(settings)
    meeting = known.incidence(settings.flash_from) if settings.method == "flash" else None
    return light_scene(known.scene, settings, meeting)


def _iso(settings: Settings) -> float | None:
    """Sensitivity whose grain the night has, None where it has none."""
    return settings.grain if settings.nightness > 0 or settings.flash else None


def _planes(count: int, working: Working) -> int:
    """Bytes of ``count`` floats per working pixel."""
    width, height = working.dimensions
    return count * 4 * width * height
