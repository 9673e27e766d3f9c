from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training.collection import FOLDER, STOPPING, collected, for_stopping
from training.photos import Example


def save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b", "c", "d"):
        save(tmp_path / "open" / f"{name}.jpg", np.full((30, 40, 3), (200, 40, 60), np.uint8))
    save(tmp_path / "apart" / "x.jpg", np.zeros((30, 40, 3), np.uint8))
    for name, value in (("masks/a", 10), ("masks/b", 20), ("more/b", 30), ("more/c", 40)):
        save(tmp_path / f"{name}.png", np.full((30, 40), value, np.uint8))
    mask = np.zeros((30, 40), np.uint8)
    mask[:10], mask[10:20] = 255, 128
    save(tmp_path / "true_masks" / "a.png", mask)
    return tmp_path


def test_masks_by_people_come_first_then_those_of_the_collection(folder: Path) -> None:
    a, b, c, d = collected(folder, folder / "more")
    assert [e.name for e in (a, b, c, d)] == [
        "open/a.jpg",
        "open/b.jpg",
        "open/c.jpg",
        "open/d.jpg",
    ]
    assert np.abs(a.rgb.astype(int) - (200, 40, 60)).max() < 8
    assert b.mask is not None
    assert (b.mask == 20).all()
    assert c.mask is not None
    assert (c.mask == 40).all()
    assert d.mask is None


def test_what_people_were_uncertain_of_is_not_sure(folder: Path) -> None:
    a, b, *_ = collected(folder, folder / "more")
    assert a.mask is not None
    assert a.sure is not None
    assert (a.mask[:10] == 255).all()
    assert (a.mask[20:] == 0).all()
    assert (a.sure[10:20] == 0).all()
    assert (a.sure[:10] == 255).all()
    assert (a.sure[20:] == 255).all()
    assert b.sure is None


def test_a_file_that_is_no_picture_is_named(folder: Path) -> None:
    (folder / "open" / "b.jpg").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"b\.jpg"):
        collected(folder, folder / "more")


def test_the_photos_to_stop_by_are_those_of_least_hash() -> None:
    rgb = np.zeros((2, 2, 3), np.uint8)
    examples = [Example(f"open/{i:04}.jpg", rgb) for i in range(1000)]
    chosen = for_stopping(examples)
    assert len(chosen) == STOPPING == 200

    def digest(example: Example) -> str:
        return hashlib.sha256(example.name.removeprefix("open/").encode()).hexdigest()

    others = [example for example in examples if example not in chosen]
    assert max(map(digest, chosen)) < min(map(digest, others))
    assert for_stopping(examples[::-1]) == chosen


def test_the_photos_to_stop_by_stay_the_same(shared: Path) -> None:
    """A network is judged by photos that it has not seen, also one taken up again later."""
    names = sorted(path.name for path in (shared / "photos" / FOLDER / "open").glob("*.jpg"))
    rgb = np.zeros((2, 2, 3), np.uint8)
    chosen = sorted(e.name for e in for_stopping([Example(f"open/{name}", rgb) for name in names]))
    assert len(names) == 5302
    assert len(chosen) == 200
    assert hashlib.sha256("\n".join(chosen).encode()).hexdigest().startswith("935ec1e0d386")
