from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from training.augment import View, other_light
from training.bank import Rendered, file_of, keep, rendered
from training.batches import Batches, paste
from training.families import FAMILIES
from training.labels import with_depth
from training.photos import LISTS, Example, clear_object, held_apart, outlined, training_names
from training.scene_network import as_example
from training.wild import LEAST, wild_scene

from tests.training.made_up import examples, photos, scenes


def test_the_lists_name_photos_that_are_there_and_keep_apart_what_shall_be_apart(
    shared: Path,
) -> None:
    known = tomllib.loads((LISTS / "subjects.toml").read_text(encoding="utf-8"))
    taught = [*known["lite"], *known["none"], *known["drawn"]]
    assert len(set(taught)) == len(taught)
    assert len(held_apart()) == 30
    assert len(clear_object()) >= 40
    assert not set(taught) & set(held_apart())
    for name in (*taught, *held_apart(), *clear_object()):
        assert (shared / "photos" / name).is_file(), name
    trained = training_names(shared / "photos")
    assert not set(trained) & set(held_apart())
    assert set(taught) <= set(trained)


def test_outlines_are_in_per_cent_of_the_picture() -> None:
    mask = outlined([[0, 0, 50, 0, 50, 100, 0, 100]], (40, 80))
    assert mask[:, :38].min() == 255
    assert mask[:, 44:].max() == 0


def test_a_view_of_the_whole_keeps_what_is_where() -> None:
    rng = np.random.default_rng(1)
    picture = np.zeros((60, 80), np.uint8)
    picture[:, 40:] = 255
    views = [View.draw(picture.shape, (60, 80), 1.0, rng).of(picture) for _ in range(20)]
    assert 0.4 < np.mean(views) / 255 < 0.6


def test_a_view_of_a_map_shows_what_the_view_of_the_photo_shows() -> None:
    rows, columns = np.mgrid[0:120, 0:160].astype(np.float32)
    for seed in range(10):
        view = View.draw((120, 160), (96, 128), 0.6, np.random.default_rng(seed))
        for ramp, half in ((rows, rows[::2, ::2] + 0.5), (columns, columns[::2, ::2] + 0.5)):
            inside = np.s_[24:-24, 32:-32]  # away from what is mirrored at the edge
            there = view.of(half[:60, :80])
            np.testing.assert_allclose(there[inside], view.of(ramp)[inside], atol=0.3)


def test_another_light_stays_a_picture_and_differs_from_picture_to_picture() -> None:
    rng = np.random.default_rng(2)
    grey = np.full((16, 16, 3), 128, np.uint8)
    lit = [other_light(grey, rng) for _ in range(6)]
    assert all(picture.dtype == np.uint8 and picture.shape == grey.shape for picture in lit)
    assert len({round(float(picture.mean()), 1) for picture in lit}) == 6
    assert 40 < np.mean([other_light(grey, rng).mean() for _ in range(50)]) < 200


def test_pasted_objects_are_where_their_mask_is() -> None:
    source = Example("red", np.zeros((60, 60, 3), np.uint8), np.zeros((60, 60), np.uint8))
    assert source.mask is not None
    source.rgb[20:40, 20:40, 0] = 255
    source.mask[20:40, 20:40] = 255
    onto = Example("green", np.zeros((50, 90, 3), np.uint8))
    onto.rgb[..., 1] = 200
    for seed in range(20):
        made = paste(source, onto, np.random.default_rng(seed))
        assert made.mask is not None
        assert made.rgb.shape == (50, 90, 3)
        assert made.inverse_depth is None
        inside = made.mask == 255
        assert inside.any()
        assert (made.rgb[inside, 1] == 0).all()
        assert (made.rgb[made.mask == 0, 1] == 200).all()


def test_a_batch_is_the_same_again_and_knows_what_it_knows() -> None:
    batches = Batches(examples(), scenes(), scenes()[:1], seed=5)
    drawn, again, other = (batches.at(step, (2, 3, 2, 2, 1)) for step in (7, 7, 8))
    np.testing.assert_array_equal(drawn.rgb, again.rgb)
    np.testing.assert_array_equal(drawn.maps, again.maps)
    assert not np.array_equal(drawn.rgb, other.rgb)
    batch = drawn.to(torch.device("cpu"))
    assert batch.rgb.is_contiguous(memory_format=torch.channels_last)
    height, width = batch.rgb.shape[2:]
    assert batch.rgb.shape == (10, 3, height, width)
    assert batch.mask.shape == batch.sure.shape == (10, height // 2, width // 2)
    assert batch.taught.tolist() == [True] * 5 + [False] * 5  # photos
    assert batch.exact.tolist() == [False] * 7 + [True] * 3  # rendered
    assert (batch.sure[-5:] == 1).all()  # pasted and rendered
    assert batch.mask[5:7].flatten(1).amax(1).min() > 0.5
    assert (batch.inverse_depth[5:7] == 0).all()
    assert batch.inverse_depth[batch.taught].flatten(1).std(1).min() > 0.01


def test_objects_are_put_onto_photos_with_next_to_no_object_of_their_own() -> None:
    ground = next(example for example in examples() if example.object_shown)
    assert ground.mask is not None
    faint = replace(ground, name="ground", mask=ground.mask // 4)
    batches = Batches([ground, faint], scenes(), scenes(), seed=1)
    assert (batches.at(0, (0, 0, 4, 0, 0)).maps[0] > 0.9).any((1, 2)).all()


def test_a_photo_whose_object_is_unknown_teaches_no_mask() -> None:
    unknown = [replace(example, mask=None) for example in examples()]
    batches = Batches([*unknown, *examples()[:2]], scenes(), scenes(), seed=1)
    sure = np.concatenate(
        [batches.at(i, (8, 0, 0, 1, 0)).maps[1, :8].max((1, 2)) for i in range(6)]
    )
    assert 0 < sure.mean() < 1


def test_where_nobody_can_tell_the_mask_does_not_count() -> None:
    example = examples()[0]
    sure = np.full((240, 300), 255, np.uint8)
    sure[:, 150:] = 0
    batches = Batches([replace(example, sure=sure)], scenes(), scenes(), seed=1)
    seen = np.concatenate([batches.at(i, (8, 0, 0, 0, 0)).maps[1].ravel() for i in range(6)])
    assert 0.3 < seen.mean() < 0.7


def test_depth_is_asked_of_the_teacher_once(tmp_path: Path) -> None:
    class Teacher:
        asked = 0

        def inverse_depth(self, rgb: Tensor) -> Tensor:
            self.asked += 1
            return rgb[0]

    teacher = Teacher()
    cpu = torch.device("cpu")
    first, again = (with_depth(examples(), teacher, cpu, tmp_path / "depth") for _ in range(2))
    assert teacher.asked == len(examples())
    for example, one, two in zip(examples(), first, again, strict=True):
        assert one.inverse_depth is not None
        assert two.inverse_depth is not None
        np.testing.assert_array_equal(one.inverse_depth, two.inverse_depth)
        assert one.inverse_depth.max() == 65535
        small = example.rgb[..., 0].reshape(120, 2, 150, 2).mean((1, 3))
        assert np.corrcoef(one.inverse_depth.ravel(), small.ravel())[0, 1] > 0.999


def test_wild_scenes_are_the_same_again() -> None:
    first, again, other = (wild_scene(seed, 48, 36, photos()) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.day, again.day)
    np.testing.assert_array_equal(first.mask, again.mask)
    assert not np.array_equal(first.day, other.day)


def test_wild_scenes_have_objects_in_view_most_times_and_none_now_and_then() -> None:
    shares = [float(wild_scene(seed, 40, 30, photos()).mask.mean()) for seed in range(30, 60)]
    shown = [share for share in shares if share > 0]
    assert 15 < len(shown) < 30
    assert min(shown) > LEAST / 4


def test_scenes_are_rendered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("LONG", 32), ("SHORT", 24)):
        monkeypatch.setattr(f"training.bank.{name}", size)
    for family in ("wild", "plausible"):
        first = FAMILIES[family].training.start
        keep(wild_scene(1, 32, 24, photos()), file_of(tmp_path, family, first))
    stamps = [p.stat().st_mtime_ns for p in sorted(tmp_path.iterdir())]
    found = rendered(tmp_path, 1, 1, photos())
    assert [p.stat().st_mtime_ns for p in sorted(tmp_path.iterdir())] == stamps
    assert len(found) == 2
    one: Rendered = found[0]
    assert one.rgb.shape == (3, 24, 32)
    assert one.mask.shape == one.inverse_depth.shape == (24, 32)
    assert one.inverse_depth.isfinite().all()
    example = as_example(one)
    assert example.rgb.shape == (24, 32, 3)
    assert example.inverse_depth is not None
    shown = one.inverse_depth.numpy().astype(np.float64)
    np.testing.assert_allclose(
        example.inverse_depth / 65535, shown / shown.max(), atol=1 / 65535, rtol=1e-3
    )
