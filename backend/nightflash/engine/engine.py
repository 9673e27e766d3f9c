"""The engine: Photo + Settings -> night, and what is remembered of photos seen before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from nightflash.aim import Aim
from nightflash.engine.cache import Cache
from nightflash.engine.known import SCENE_PLANES, SURVEY_PLANES, Aimed, Surveyed, planes
from nightflash.engine.memory import explained_memory_errors
from nightflash.engine.networks import Loaded, Networks
from nightflash.engine.night import Night, Preview, Report, subject_metres
from nightflash.engine.pixels import night_photo, night_region
from nightflash.engine.working import Working, at_working_size, digest
from nightflash.fullsize.region import Region
from nightflash.imaging.colour import decode, encode
from nightflash.light import Light
from nightflash.models.choice import Choice
from nightflash.models.device import choose_device
from nightflash.models.weights import weights_folder
from nightflash.photo import Photo
from nightflash.photo.encoding import Linear
from nightflash.refine.optimise import refine
from nightflash.scene import Scene, aim_at, settled, survey
from nightflash.settings import Settings
from nightflash.stages import LIGHT, REFINE, SCENE, Progress, Stopwatch

CACHE_BYTES = 128 * 2**20


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
        self._networks = Networks(
            Choice.of(networks), weights_folder(weights), choose_device(device)
        )
        self.device, self.folder = self._networks.device, self._networks.folder
        self.networks = self._networks.names
        self._cache: Cache[object, Surveyed | Aimed] = Cache(cache_bytes)

    @explained_memory_errors()
    def load(self, refines: bool = True) -> Loaded:
        """Read the networks, or return them if they are there.

        Args:
            refines: Whether that of the refinement is read, too, and not first when it is needed.

        Raises:
            NightFlashError: A file is missing or damaged.
        """
        loaded = self._networks.load()
        if refines:
            _ = loaded.features
        return loaded

    def release(self) -> None:
        """Give the memory of networks and scenes back; the next use reads the networks again."""
        self._cache.clear()
        self._networks.release()

    def analyse(self, photo: Photo, settings: Settings, aim: Aim | None = None) -> Scene:
        """Estimate depth and find the main object of ``photo``."""
        return self._aimed(
            *at_working_size(photo, settings.working_size, aim), settings, lambda: None
        ).scene

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
        with explained_memory_errors(), torch.no_grad():
            known = self._aimed(working, aim or Aim(), settings, checkpoint)
            light = known.lit(settings)
            picture = light.shine(known.scene.photo, light.maps)
        if self._networks.finder is not None and known.provisional:  # nothing waits for it
            self._networks.finder.start(working.key, known.surveyed.survey.encoded)
        return Preview(picture, known.scene, light, known.provisional)

    @explained_memory_errors()
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
        return night_region(photo, region, preview.scene.photo, preview.light, settings, checkpoint)

    @explained_memory_errors()
    def render(
        self,
        photo: Photo,
        settings: Settings | None = None,
        aim: Aim | None = None,
        *,
        in_place: bool = False,
        progress: Progress = lambda stage, fraction: None,
        checkpoint: Callable[[], None] | None = None,
    ) -> Night:
        """Make the night of ``photo``.

        Args:
            photo: The daylight photo, linear.
            settings: What the user wants; defaults without.
            aim: Where the flash is aimed; without, NightFlash finds the main object.
            in_place: Whether the photo is given up and its pixels become the night's, which spares
                12 bytes a pixel; where the work ends early it is spoilt.
            progress: Called with the stage's name and the fraction of it done, 0..1; it stops
                the work by raising ``Cancelled``.
            checkpoint: Called often where the work is slow; it stops the work likewise.

        Raises:
            NightFlashError: The aim does not fit the photo, or the memory does not suffice.
        """
        settings = settings or Settings()
        watch = Stopwatch(progress)
        with watch.stage(SCENE):
            working, aim = at_working_size(photo, settings.working_size, aim)
            known = self._aimed(working, aim, settings, checkpoint or (lambda: None))
            scene = known.scene
        with watch.stage(LIGHT):
            light = known.lit(settings)
        refined, losses = self._refined(known.surveyed, light, settings, watch, checkpoint)
        night = night_photo(photo, scene.photo, light, refined, settings, watch, in_place)
        report = self._report(scene, working, losses, settings, watch)
        return Night(night, scene, light, refined, report)

    def networks_of(self, scene: Scene) -> dict[str, str]:
        """Role to name of the network or rule that ``scene`` was made with."""
        return {**self.networks, "depth": scene.depth_from}

    def notes(self, scene: Scene, method: str) -> tuple[str, ...]:
        """Sentences for the user about what ``scene`` was made with, for a method."""
        return self._networks.notes(scene, method)

    @torch.no_grad()
    def _surveyed(self, working: Working, method: str) -> Surveyed:
        key = (working.key, self._networks.depth_of(method))
        found = self._cache.get(key)
        if isinstance(found, Surveyed):
            return found
        detector, depth = self._networks.load().detector, self._networks.depth_sources(method)
        photo = torch.from_numpy(working.picture).permute(2, 0, 1).contiguous().to(self.device)
        fresh = Surveyed(survey(photo, depth, detector))
        self._cache.put(key, fresh, planes(SURVEY_PLANES, working))
        return fresh

    @torch.no_grad()
    def _aimed(
        self,
        working: Working,
        aim: Aim,
        settings: Settings,
        checkpoint: Callable[[], None] | None = None,
    ) -> Aimed:
        """What is known of a photo and an aim; without ``checkpoint`` it waits for no network."""
        aim = settled(aim)
        surveyed = self._surveyed(working, settings.method)
        encoded, depth_from = surveyed.survey.encoded, surveyed.survey.depth_from
        main, provisional, closer = None, False, None
        if self._networks.finder is not None and (aim.mask is None or aim.clicks):
            closer = self._networks.finder.quick()
            if checkpoint is None:
                main, provisional = self._networks.finder.glance(working.key, encoded)
            else:
                main = self._networks.finder.find(working.key, encoded, checkpoint)
        if checkpoint is not None:
            checkpoint()
        drawn = tuple(None if each is None else digest(each) for each in (aim.mask, aim.strokes))
        aimed = (*drawn, aim.box, aim.point, aim.clicks)
        key = (working.key, depth_from, aimed, settings.several, provisional)
        found = self._cache.get(key)
        if isinstance(found, Aimed):
            return found
        scene = aim_at(surveyed.survey, main, aim, working.size, settings.several, closer)
        fresh = Aimed(surveyed, scene, provisional)
        self._cache.put(key, fresh, planes(SCENE_PLANES, working))
        return fresh

    def _refined(
        self,
        surveyed: Surveyed,
        light: Light,
        settings: Settings,
        watch: Stopwatch,
        checkpoint: Callable[[], None] | None,
    ) -> tuple[Tensor | None, tuple[float, ...]]:
        """The lit picture refined, linear, and its losses; nothing where that is not asked for."""
        if settings.quality != "best" or settings.is_daylight:
            return None, ()
        with watch.stage(REFINE) as advance:
            network, encoded = self.load().features, surveyed.survey.encoded
            if surveyed.features is None:
                with torch.no_grad():
                    surveyed.features = network.features(encoded[None], checkpoint)
            done = refine(
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
            return decode(done.picture), done.losses

    def _report(
        self,
        scene: Scene,
        working: Working,
        losses: tuple[float, ...],
        settings: Settings,
        watch: Stopwatch,
    ) -> Report:
        return Report(
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
