"""The filter in a real GIMP 3 without a window."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from nightflash.client.client import Client
from nightflash.client.protocol import Layout, Pixels
from nightflash.models.registry import NETWORKS
from nightflash.settings import DEFAULTS, SETTING_INFO

from tests.gimp.gimp import INSIDE, Gimp, Result
from tests.gimp.plugin import SERVE, Profile, a_profile
from tests.install.machine import CHECKOUT
from tests.models.depth_anything.official import made_up_weights, write_own

PRECISIONS = (
    *("U8_NON_LINEAR", "U8_LINEAR", "U8_PERCEPTUAL", "U16_NON_LINEAR", "U16_LINEAR"),
    *("U32_NON_LINEAR", "HALF_LINEAR", "FLOAT_LINEAR", "FLOAT_NON_LINEAR", "DOUBLE_LINEAR"),
)
PLACES = ("places.py", "nights.py", "again.py")
PIXELS = list(itertools.product(("RGB", "GRAY"), PRECISIONS, (False, True)))


def script(name: str) -> str:
    return (INSIDE / name).read_text("utf-8")


def names(of: str) -> list[str]:
    """The cases in a script."""
    return re.findall(r"^def case_(\w+)", script(of), re.MULTILINE)


@pytest.fixture(scope="module")
def profile(gimp: Gimp) -> Iterator[Profile]:
    with a_profile() as profile:
        yield profile


@pytest.fixture(scope="module")
def pixels(gimp: Gimp, profile: Profile) -> Result:
    variables = {**profile.variables, "CASES": json.dumps(PIXELS)}
    return gimp.batch(script("pixels.py"), profile.gimp, variables, timeout=300)


@pytest.fixture(scope="module")
def places(gimp: Gimp, profile: Profile) -> Result:
    lines = [f"runpy.run_path({str(INSIDE / name)!r})" for name in PLACES]
    code = "\n".join(["import runpy", *lines])
    return gimp.batch(code, profile.gimp, profile.variables, timeout=400)


@pytest.mark.parametrize(("base", "precision", "alpha"), PIXELS)
def test_neutral_gives_the_source_back(
    pixels: Result, base: str, precision: str, alpha: bool
) -> None:
    fault = pixels.of(f"neutral-{base}-{precision}-{alpha}")["fault"]
    assert not fault, fault


@pytest.mark.parametrize(("base", "precision", "alpha"), [case for case in PIXELS if case[2]])
def test_every_precision_gives_the_same_night(
    pixels: Result, base: str, precision: str, alpha: bool
) -> None:
    fault = pixels.of(f"same-{base}-{precision}-{alpha}")["fault"]
    assert not fault, fault


@pytest.mark.parametrize("case", [case for script in PLACES for case in names(script)])
def test_places(places: Result, case: str) -> None:
    fault = places.of(case)["fault"]
    assert not fault, fault


def test_what_an_edit_cannot_keep_is_told(places: Result) -> None:
    for sentence in (
        "The photo has changed since this night was made",
        "What this layer keeps of a night cannot be read.",
        "What was drawn to aim this night does not fit the photo",
        "Some settings of this night are not known here and were left out.",
        "The place that this night was aimed at cannot be read.",
    ):
        assert sentence in places.words, places.words


def test_every_setting_is_an_argument(places: Result) -> None:
    found = places.of("defaults")["found"]
    wanted = {"output": "one", "on-night": "add", "point-x": -1, "point-y": -1}
    for name, default in DEFAULTS.items():
        argument = name.replace("_", "-")
        wanted[argument] = default
        if SETTING_INFO[name].can_be_off:
            wanted[f"{argument}-off"] = default is None
    assert found == wanted


def test_the_night_is_the_backends_own(
    places: Result, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in profile.variables.items():
        monkeypatch.setenv(name, value)
    found = places.of("outside")
    selection = np.frombuffer(bytes.fromhex(found["selection"]), np.float32).reshape(150, 200)
    mask = np.ascontiguousarray(np.rint(selection[20 : 20 + 64, 30 : 30 + 96] * 255), np.uint8)
    assert len(np.unique(mask)) > 50  # soft it is
    with Client(None) as client:
        answer = client.work(
            "render",
            Pixels.cut(Layout(96, 64, "u8", 4), bytes.fromhex(found["photo"])),
            mask=Pixels.cut(Layout(96, 64, "u8", 1), mask.data),
            settings={"quality": "fast", "grain": None},
        )
    wanted = np.frombuffer(b"".join(map(bytes, answer.pictures[0].strips)), np.uint8)
    found = np.frombuffer(bytes.fromhex(found["night"]), np.uint8)
    assert np.abs(wanted.astype(int) - found).max() <= 1


def test_what_nights_keep_and_cannot_be_used_is_told(places: Result) -> None:
    for said in (
        "photo has changed",
        "keeps of a night cannot be read",
        "settings of this night are not known",
        "settings of this night were not kept",
        "was aimed at cannot be read",
        "does not fit the photo",
    ):
        assert said in places.words, said


@pytest.fixture(scope="module")
def faults(gimp: Gimp) -> Iterator[Result]:
    with a_profile() as profile:
        yield gimp.batch(script("faults.py"), profile.gimp, profile.variables, timeout=300)


@pytest.mark.parametrize("case", names("faults.py"))
def test_faults(faults: Result, case: str) -> None:
    fault = faults.of(case)["fault"]
    assert not fault, fault


def test_what_has_gone_is_told_once(faults: Result) -> None:
    """By the filter, not by GIMP for every call of its; 3.2 prints neither in a batch."""
    found = re.findall(r"error for procedure '(.*?)'", faults.words)
    assert set(found) <= {"plug-in-nightflash"}, found


def test_unusual_paths_and_a_checkout_that_has_gone(gimp: Gimp) -> None:
    """A profile whose path has spaces, signs and letters of other scripts; a Python kept safe."""
    with a_profile(inside="Bilder & Nächte 夜") as profile:
        checkout = profile.folder / "checkout"
        for name in ("gimp_plugin", "backend/nightflash"):
            shutil.copytree(CHECKOUT / name, checkout / name)
        profile.install(checkout=checkout)
        shutil.rmtree(checkout)
        code = "from cases import run\nfrom scene import *\nimage = make_image()\n"
        code += "run('night', lambda: adds_night(image, add_photo(image), **PLAIN))"
        variables = {**profile.variables, "PYTHONSAFEPATH": "1"}
        ran = gimp.batch(code, profile.gimp, variables)
        assert not ran.of("night")["fault"], ran.of("night")["fault"] + ran.words + profile.logs


def test_official_networks(gimp: Gimp, official: Path) -> None:
    """MiDaS, Mask R-CNN and VGG19 at work on a layer, from the files of their layout."""
    networks = ("--networks", "official", "--weights", str(official))
    with a_profile(*SERVE[:-2], *networks, "--device", "cpu") as profile:
        code = "from cases import run\nfrom scene import *\nimage = make_image()\n"
        code += "settings = {'quality': 'best', 'steps': 3, 'grain-off': True}\n"
        code += "run('night', lambda: adds_night(image, add_photo(image), **settings))"
        ran = gimp.batch(code, profile.gimp, profile.variables, timeout=200)
        assert not ran.of("night")["fault"], ran.of("night")["fault"] + ran.words + profile.logs
        assert "ready on cpu: midas_v21_small_256, mask_rcnn, vgg19" in profile.logs


def test_metric_depth(gimp: Gimp, official: Path, tmp_path: Path) -> None:
    """Depth Anything's two networks that give metres, and the one that fits at work on a layer."""
    names = ("depth_anything_v2_indoor_small", "depth_anything_v2_outdoor_small")
    for file in official.iterdir():
        (tmp_path / file.name).symlink_to(file)
    for name in names:
        write_own(tmp_path / NETWORKS[name].files[0].name, made_up_weights("metric"))
    networks = ("--networks", "official", "--weights", str(tmp_path))
    with a_profile(*SERVE[:-2], *networks, "--device", "cpu") as profile:
        code = "from cases import run\nfrom scene import *\nimage = make_image()\n"
        code += "settings = {'quality': 'fast', 'grain-off': True}\n"
        code += "run('night', lambda: adds_night(image, add_photo(image), **settings))"
        ran = gimp.batch(code, profile.gimp, profile.variables, timeout=200)
        assert not ran.of("night")["fault"], ran.of("night")["fault"] + ran.words + profile.logs
        assert f"ready on cpu: {' or '.join(names)}, mask_rcnn, vgg19" in profile.logs
