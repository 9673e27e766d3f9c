"""With IS-Net's real weights the dialog shows a night at once, and the better one by itself."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from nightflash import Engine, Settings
from nightflash.engine.working import Working
from nightflash.photo import read_photo
from nightflash.server.pictures import view_pixels
from PIL import Image

from tests.gimp.filter import TITLE, Filter
from tests.gimp.gimp import Gimp
from tests.gimp.plugin import a_profile
from tests.gimp.window import PROGRAMS, screen
from tests.server.backend import array


def test_the_better_outline_comes_by_itself(
    gimp: Gimp, isnet: Path, shared: Path, tmp_path: Path
) -> None:
    if not gimp.has(*PROGRAMS):
        pytest.skip(f"one of {', '.join(PROGRAMS)} is not here")
    serve = (sys.executable, "-P", "-m", "nightflash", "serve", "--weights", str(isnet))
    with a_profile() as profile:
        profile.install(*serve, "--networks", "auto", "--device", "cpu")
        photo = profile.folder / "photo.png"
        with Image.open(shared / "photos/daylight/me_FujiFilm_MX-1200.jpg") as day:
            day.reduce(3).save(photo)
        with screen(gimp, profile, tmp_path, photo) as shown:
            dialog = Filter(shown)
            dialog.open()
            dialog.press("Outline", "check box")
            distances = {n: night(photo, Engine(n, isnet, "cpu")) for n in ("auto", "builtin")}

            def arrived() -> bool:
                now = dialog.preview("looking-closer", 2)
                far = {n: distance(now, picture) for n, picture in distances.items()}
                return far["auto"] < 4 and far["auto"] < 0.8 * far["builtin"]

            shown.until(arrived, "IS-Net's outline in the preview", 90)
            assert not [w for w in shown.widgets(TITLE) if "closer" in (w.text or w.name)]
            dialog.press("Cancel")
            dialog.gone()


def night(path: Path, engine: Engine) -> npt.NDArray[np.uint8]:
    """The preview of a photo, RGB in u8."""
    settings = Settings()
    working = Working.of(read_photo(path), settings.working_size)
    preview = engine.preview(working, settings, checkpoint=lambda: None)
    picture: npt.NDArray[np.uint8] = array(view_pixels("night", preview, None))
    return picture[..., :3]


def distance(shown: npt.NDArray[np.int16], picture: npt.NDArray[np.uint8]) -> float:
    """Mean difference of what is shown and a picture, in values of u8.

    In a quarter of the size, as the dialog shows the grain of the result too.
    """
    size = (shown.shape[1], shown.shape[0])
    scaled = Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR)
    small = [
        np.asarray(p.reduce(4), np.int16) for p in (Image.fromarray(shown.astype("u1")), scaled)
    ]
    return float(np.abs(small[0] - small[1]).mean())
