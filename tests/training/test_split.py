"""The photos by which networks and light will be judged, and those without a main object."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from training.collection import collected
from training.photos import no_object
from training.split import share_of

NO_OBJECT = no_object()


def test_a_name_alone_decides() -> None:
    assert share_of("photo.jpg") == "light"  # sha256 aff6...
    assert share_of("a.jpg") == "network"  # 509b...


def test_the_shares_of_the_photos_kept_apart(shared: Path) -> None:
    names = [path.name for path in (shared / "photos/training/apart").iterdir()]
    assert Counter(map(share_of, names)) == {"look": 290, "network": 322, "light": 358}


def test_sixty_photos_have_no_main_object_and_are_there(shared: Path) -> None:
    assert len(set(NO_OBJECT)) == len(NO_OBJECT) == 60
    folder = shared / "photos/training"
    assert all((folder / "open" / name).is_file() for name in NO_OBJECT)
    assert not any(
        (folder / "true_masks" / name).with_suffix(".png").exists() for name in NO_OBJECT
    )
    read = {example.name.removeprefix("open/") for example in collected(folder, folder / "none")}
    assert len(read) == 5302 - 60
    assert not read & set(NO_OBJECT)
