"""A real GIMP 3 for the tests, found or built once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.gimp.filter import LARGE, SIZE, TITLE, Filter, draw, in_gimp
from tests.gimp.gimp import Gimp, build, find
from tests.gimp.plugin import Profile, a_profile
from tests.gimp.root import CannotBuild
from tests.gimp.window import PROGRAMS, Screen, screen


@pytest.fixture(scope="session")
def gimp(tmp_path_factory: pytest.TempPathFactory) -> Gimp:
    """The machine's own GIMP 3, else (where CI is true) one in a root that is built once.

    NIGHTFLASH_TEST_GIMP=3.0 or 3.2 asks for a root of that version.
    """
    gimp, first = _gimp(), tmp_path_factory.mktemp("first-profile")
    assert gimp.batch("", first).code == 0
    return replace(gimp, known=first / "pluginrc")


def _gimp() -> Gimp:
    asked = os.environ.get("NIGHTFLASH_TEST_GIMP")
    if asked is None and (found := find()) is not None:
        return found
    if asked is None and os.environ.get("CI") != "true":
        pytest.skip("there is no GIMP 3 here; with CI=true, root on Debian builds one")
    try:
        return build(asked or "3.0")
    except CannotBuild as fault:
        pytest.fail(f"there is no GIMP 3 to test in: {fault}")


@pytest.fixture(scope="package")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots are kept: in the folder NIGHTFLASH_ARTIFACTS, else among pytest's own."""
    named = os.environ.get("NIGHTFLASH_ARTIFACTS")
    folder = Path(named).absolute() / "gimp" if named else tmp_path_factory.mktemp("gimp")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="package")
def profile(gimp: Gimp) -> Iterator[Profile]:
    with a_profile() as profile:
        yield profile


@pytest.fixture(scope="package")
def shown(gimp: Gimp, profile: Profile, artifacts: Path) -> Iterator[Screen]:
    if not gimp.has(*PROGRAMS):
        pytest.skip(f"one of {', '.join(PROGRAMS)} is not here")
    photo = profile.folder / "photo.png"
    draw(photo)
    with screen(gimp, profile, artifacts, photo) as shown:
        yield shown


@pytest.fixture
def large(shown: Screen) -> Iterator[None]:
    """The photo is large meanwhile."""
    in_gimp(shown, f"image.scale({LARGE[0]}, {LARGE[1]})\nTrue")
    yield
    in_gimp(shown, f"image.scale({SIZE[0]}, {SIZE[1]})\nTrue")


@pytest.fixture
def dialog(shown: Screen, profile: Profile) -> Iterator[Filter]:
    """The filter as at first, whose dialog is closed at the end however the test ends."""
    (profile.gimp / "nightflash.json").unlink(missing_ok=True)
    dialog = Filter(shown)
    yield dialog
    for _ in range(3):
        if not shown.windows(f"^{TITLE}"):
            break
        shown.front(f"^{TITLE}")
        shown.key("Escape")
        time.sleep(2)
