from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nightflash import Aim, Cancelled, Engine, NightFlashError, Photo, Settings
from nightflash.engine import engine as engine_module
from nightflash.engine import known as known_module
from nightflash.engine import pixels as pixels_module
from nightflash.engine.working import Working

from tests.command_line import pixels

QUALITIES = ("preview", "fast", "best")
DAYLIGHT = Settings(ambient=0, flash=False)
QUICK = Settings(quality="fast", grain=None)
BOX = Aim(box=(30, 15, 40, 45))


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("builtin", device="cpu")


@pytest.fixture
def photo() -> Photo:
    return Photo.from_encoded(pixels())


def hdr() -> Photo:
    rng = np.random.default_rng(2)
    return Photo.from_linear(rng.normal(0.5, 2.0, (50, 70, 3)).astype(np.float32))


@pytest.mark.parametrize("quality", QUALITIES)
def test_without_night_and_flash_the_photo_comes_back(
    engine: Engine, photo: Photo, quality: str
) -> None:
    settings = dataclasses.replace(DAYLIGHT, quality=quality)
    night = engine.render(photo, settings)
    np.testing.assert_array_equal(night.photo.to_encoded(), photo.to_encoded())
    floats = hdr()
    np.testing.assert_allclose(engine.render(floats, settings).photo.rgb, floats.rgb, atol=1e-6)


@pytest.mark.parametrize("settings", [QUICK, DAYLIGHT, Settings(steps=3)])
def test_a_photo_that_is_given_up_becomes_the_same_night(
    engine: Engine, photo: Photo, settings: Settings
) -> None:
    kept = photo.rgb.copy()
    wanted = engine.render(photo, settings, BOX).photo
    np.testing.assert_array_equal(photo.rgb, kept)
    floats = Photo.from_linear(kept)
    night = engine.render(floats, settings, BOX, in_place=True).photo
    assert night.pixels is floats.pixels
    np.testing.assert_array_equal(night.rgb, wanted.rgb)
    codes = engine.render(photo, settings, BOX, in_place=True).photo
    assert codes.pixels is photo.pixels
    np.testing.assert_array_equal(codes.to_encoded(), wanted.to_encoded())


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("method", ["flash", "published"])
def test_every_method_in_every_quality(
    engine: Engine, photo: Photo, method: str, quality: str
) -> None:
    settings = Settings(method=method, quality=quality, steps=8)
    night = engine.render(photo, settings, BOX)
    assert night.photo.rgb.shape == photo.rgb.shape
    assert night.photo.rgb.mean() < 0.6 * photo.rgb.mean()
    assert (night.refined is not None) == (quality == "best")
    assert bool(night.report.losses) == (quality == "best")
    stages = {"preview": 2, "fast": 3, "best": 4}
    assert len(night.report.seconds) == stages[quality]
    inside, outside = night.photo.rgb[20:55, 40:56].mean(), night.photo.rgb[:, :16].mean()
    assert inside > outside


def test_the_flash_off_leaves_the_ambient_light(engine: Engine, photo: Photo) -> None:
    settings = dataclasses.replace(QUICK, flash=False, ambient=-3, ambient_temperature=5400)
    night = engine.render(photo, settings)
    np.testing.assert_allclose(night.photo.rgb, photo.rgb / 8, atol=1e-4)


def test_the_night_of_a_photo_keeps_its_alpha_and_encoding(engine: Engine) -> None:
    photo = Photo.from_encoded(pixels(channels=4))
    night = engine.render(photo, QUICK).photo
    assert night.source == photo.source
    assert photo.alpha is not None
    np.testing.assert_array_equal(night.alpha, photo.alpha)


def test_the_photo_given_is_not_changed(engine: Engine, photo: Photo) -> None:
    before = photo.rgb.copy()
    for settings in (QUICK, DAYLIGHT):
        engine.render(photo, settings).photo.rgb[...] = 0
    np.testing.assert_array_equal(photo.rgb, before)


def test_the_preview_has_the_working_size(engine: Engine) -> None:
    photo = Photo.from_encoded(pixels(300, 200))
    settings = Settings(quality="preview", working_size=0.02)
    night = engine.render(photo, settings)
    assert (night.photo.width, night.photo.height) == night.report.working_size == (173, 115)
    assert engine.render(photo, dataclasses.replace(settings, quality="fast")).photo.width == 300


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (2000, 5), (33, 31)])
@pytest.mark.parametrize("quality", ["fast", "best"])
def test_photos_of_odd_shapes(engine: Engine, size: tuple[int, int], quality: str) -> None:
    photo = Photo.from_encoded(pixels(*size))
    night = engine.render(photo, Settings(quality=quality, steps=2))
    assert night.photo.rgb.shape == photo.rgb.shape


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 1e6, 1e30])
def test_even_photos_of_any_value(engine: Engine, value: float) -> None:
    photo = Photo.from_linear(np.full((40, 60, 3), value, np.float32))
    night = engine.render(photo, Settings(steps=2))
    assert np.isfinite(night.photo.rgb).all()


def test_the_whole_photo_as_subject(engine: Engine, photo: Photo) -> None:
    whole = Aim(mask=np.ones((64, 96), np.float32))
    night = engine.render(photo, QUICK, whole)
    assert night.report.subject_box == pytest.approx((0, 0, 96, 64))


@pytest.mark.parametrize(
    ("aim", "sentence"),
    [
        (Aim(mask=np.zeros((64, 96), np.float32)), "mask is empty"),
        (Aim(mask=np.ones((96, 64), np.float32)), "mask is 64 x 96 pixels and the photo 96 x 64"),
        (Aim(mask=np.full((64, 96), np.nan, np.float32)), "not numbers"),
        (Aim(box=(96, 0, 9, 9)), "outside the photo"),
        (Aim(box=(-9, 0, 9, 9)), "outside the photo"),
        (Aim(box=(1, 1, 0, 9)), "no area"),
        (Aim(box=(1, 1, -5, 9)), "no area"),
        (Aim(box=(float("nan"), 1, 5, 9)), "no area"),
        (Aim(box=(1, 1, float("inf"), 9)), "no area"),
        (Aim(point=(96, 3)), "outside the photo"),
        (Aim(point=(float("nan"), 3)), "outside the photo"),
        (Aim(box=(1, 1, 5, 5), point=(3, 3)), "one of a mask, a box or a point"),
    ],
)
def test_an_aim_that_does_not_fit(engine: Engine, photo: Photo, aim: Aim, sentence: str) -> None:
    with pytest.raises(NightFlashError, match=sentence) as caught:
        engine.render(photo, QUICK, aim)
    assert caught.value.code == "bad_aim"


def test_progress_rises_stage_by_stage_and_stops_the_work(engine: Engine, photo: Photo) -> None:
    seen: list[tuple[str, float]] = []
    engine.render(photo, Settings(steps=6), progress=lambda *step: seen.append(step))
    assert list(dict(seen)) == ["scene", "light", "refine", "full size"]
    for stage in dict(seen):
        fractions = [fraction for name, fraction in seen if name == stage]
        assert fractions == sorted(fractions)
        assert (fractions[0], fractions[-1]) == (0, 1)

    def stop(stage: str, fraction: float) -> None:
        if stage == "refine" and fraction > 0:
            raise Cancelled

    with pytest.raises(Cancelled):
        engine.render(photo, Settings(steps=6), progress=stop)


def test_the_seed_changes_the_grain_alone(engine: Engine, photo: Photo) -> None:
    def rendered(seed: int, grain: float | None) -> Photo:
        return engine.render(photo, Settings(seed=seed, grain=grain, steps=4), BOX).photo

    np.testing.assert_array_equal(rendered(1, None).rgb, rendered(2, None).rgb)
    np.testing.assert_array_equal(rendered(1, 800.0).rgb, rendered(1, 800.0).rgb)
    first, second = rendered(1, 800.0).rgb, rendered(2, 800.0).rgb
    assert 0 < np.abs(first - second).max() < 0.3
    assert np.abs(first.mean() - second.mean()) < 0.002


@pytest.mark.parametrize(
    "fault",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_a_lack_of_memory_is_told(
    engine: Engine, photo: Photo, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(pixels_module, "transfer", fails)
    with pytest.raises(NightFlashError, match="not enough memory for this photo") as caught:
        engine.render(photo, QUICK)
    assert caught.value.code == "no_memory"


@pytest.mark.parametrize("said", ["shapes do not match", "an illegal memory access"])
def test_faults_of_the_program_are_not_taken_for_a_lack_of_memory(
    engine: Engine, photo: Photo, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError(said)

    monkeypatch.setattr(pixels_module, "transfer", fails)
    with pytest.raises(RuntimeError, match=said):
        engine.render(photo, QUICK)


def test_devices_and_networks_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(NightFlashError, match="no device 'tpu'"):
        Engine(device="tpu")
    with pytest.raises(NightFlashError, match="lite network for depth needs the file") as caught:
        Engine("lite", tmp_path)
    assert caught.value.code == "networks_missing"
    assert Engine("auto", tmp_path, "cpu").networks == Engine("builtin").networks


def test_the_small_networks(shared: Path, photo: Photo) -> None:
    engine = Engine("lite", shared / "weights", "cpu")
    assert engine.networks == {
        "depth": "tcmonodepth_small",
        "subject": "yolox_nano",
        "detector": "yolox_nano",
        "features": "vgg19_normalised",
    }
    night = engine.render(photo, Settings(steps=4), BOX)
    assert night.report.networks == engine.networks
    assert night.report.subject_from == "the box given"
    assert len(night.report.losses) > 0
    assert night.photo.rgb.mean() < photo.rgb.mean()


def test_sliders_cost_light_alone(photo: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine("builtin", device="cpu")
    calls: list[str] = []
    for module, name in (
        (engine_module, "survey"),
        (engine_module, "aim_at"),
        (known_module, "incidence"),
    ):
        plain = getattr(module, name)

        def counted(*a: Any, name: str = name, plain: Any = plain, **k: Any) -> Any:
            calls.append(name)
            return plain(*a, **k)

        monkeypatch.setattr(module, name, counted)
    working = Working.of(photo, 0.25)
    first = engine.preview(working, QUICK)
    assert calls == ["survey", "aim_at", "incidence"]
    brighter = engine.preview(Working.of(photo, 0.25), dataclasses.replace(QUICK, flash_ev=1.0))
    assert len(calls) == 3
    assert brighter.picture.mean() > first.picture.mean()
    engine.preview(working, QUICK, Aim(point=(50, 40)))
    assert calls[3:] == ["aim_at", "incidence"]
    engine.render(photo, QUICK)
    assert len(calls) == 5
    other = Photo.from_encoded(pixels()[::-1].copy())
    engine.render(other, QUICK)
    assert calls[5:] == ["survey", "aim_at", "incidence"]


def test_a_preview_is_the_light_of_the_render(engine: Engine, photo: Photo) -> None:
    settings = dataclasses.replace(QUICK, quality="preview")
    picture = engine.preview(Working.of(photo, settings.working_size), settings).picture
    night = engine.render(photo, settings).photo
    np.testing.assert_array_equal(picture.permute(1, 2, 0).numpy(), night.rgb)


def test_memory_given_back_is_taken_again_on_the_next_use(photo: Photo) -> None:
    engine = Engine("builtin", device="cpu")
    before = engine.render(photo, Settings(steps=2)).photo.rgb
    networks = engine.load()
    assert engine.load() is networks
    engine.release()
    np.testing.assert_array_equal(engine.render(photo, Settings(steps=2)).photo.rgb, before)
    assert engine.load() is not networks


def test_the_refinement_can_be_stopped_within_a_step(engine: Engine, photo: Photo) -> None:
    """On the way forward and on the way back, so that a slow step need not be waited for."""
    stages: list[tuple[str, float]] = [("", 0.0)]
    per_step: dict[float, int] = {}

    def count() -> None:
        per_step[stages[-1][1]] = per_step.get(stages[-1][1], 0) + 1

    engine.render(
        photo, Settings(steps=4), progress=lambda *step: stages.append(step), checkpoint=count
    )
    assert per_step[0.25] == per_step[0.5] == 10

    def stop() -> None:
        count()
        if per_step.get(0.25) == 15:
            raise Cancelled

    stages[:], per_step = [("", 0.0)], {0.25: 8}
    with pytest.raises(Cancelled):
        engine.render(
            photo, Settings(steps=4), progress=lambda *step: stages.append(step), checkpoint=stop
        )


def test_a_preview_of_a_large_photo_with_alpha(engine: Engine) -> None:
    photo = Photo.from_encoded(pixels(300, 200, 4))
    small = engine.render(photo, Settings(quality="preview", working_size=0.02)).photo
    assert small.alpha is not None
    assert small.alpha.shape == small.rgb.shape[:2] == (115, 173)
    assert small.alpha.max() > 2 * small.alpha.min()
