from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator
from training.augment import other_light, view
from training.bank import Rendered, file_of, keep, rendered
from training.batches import Batches, paste
from training.families import FAMILIES
from training.photos import LISTS, Example, clear_object, held_apart, outlined, training_names
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
    g = Generator().manual_seed(1)
    picture = torch.zeros(1, 60, 80)
    picture[:, :, 40:] = 1
    halves = [float(view(picture, (60, 80), 1.0, g).mean()) for _ in range(20)]
    assert 0.4 < sum(halves) / len(halves) < 0.6


def test_another_light_stays_a_picture_and_differs_from_picture_to_picture() -> None:
    rgb = torch.full((6, 3, 16, 16), 0.5)
    lit = other_light(rgb, Generator().manual_seed(2))
    assert lit.min() >= 0
    assert lit.max() <= 1
    assert len({round(float(x), 3) for x in lit.mean((1, 2, 3))}) == 6


def test_pasted_objects_are_where_their_mask_is() -> None:
    source = Example(
        "red", torch.zeros(3, 60, 60, dtype=torch.uint8), torch.zeros(60, 60, dtype=torch.uint8)
    )
    assert source.mask is not None
    source.rgb[0, 20:40, 20:40] = 255
    source.mask[20:40, 20:40] = 255
    onto = Example("green", torch.zeros(3, 50, 90, dtype=torch.uint8), None)
    onto.rgb[1] = 200
    for seed in range(20):
        made = paste(source, onto, Generator().manual_seed(seed))
        assert made.mask is not None
        assert made.rgb.shape == (3, 50, 90)
        inside = made.mask == 255
        assert inside.any()
        assert (made.rgb[1][inside] == 0).all()
        assert (made.rgb[1][made.mask == 0] == 200).all()


def test_a_batch_is_the_same_again_and_knows_what_it_knows() -> None:
    batches = Batches(examples(), scenes(), scenes()[:1], seed=5)
    batch, again, other = (batches.at(step, (2, 3, 2, 2, 1)) for step in (7, 7, 8))
    assert torch.equal(batch.rgb, again.rgb)
    assert torch.equal(batch.mask, again.mask)
    assert batch.rgb.shape != other.rgb.shape or not torch.equal(batch.rgb, other.rgb)
    assert len(batch.rgb) == 10
    assert len(batch.clean) == 7
    assert batch.inverse_depth.shape[1:] == batch.mask.shape[1:]
    assert batch.known[-5:].all()  # pasted and rendered
    assert batch.mask[-5:-3].flatten(1).amax(1).min() > 0.5


def test_a_photo_whose_object_is_unknown_teaches_no_mask() -> None:
    unknown = [Example("a", e.rgb, None) for e in examples()]
    batches = Batches([*unknown, *examples()[:2]], scenes(), scenes(), seed=1)
    known = torch.cat([batches.at(i, (8, 0, 0, 1, 0)).known[:8] for i in range(6)])
    assert not known.all()


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
