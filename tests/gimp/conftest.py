"""A real GIMP 3 for the tests, found or built once."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from tests.gimp.gimp import Gimp, build, find
from tests.gimp.root import CannotBuild


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
