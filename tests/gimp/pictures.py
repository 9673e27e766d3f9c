"""Makes the pictures of the dialog in the documents: ``CI=true python -m tests.gimp.pictures``."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from PIL import Image

from tests.gimp.filter import TITLE, Filter
from tests.gimp.gimp import build
from tests.gimp.plugin import a_profile
from tests.gimp.window import Screen, screen
from tests.install.machine import CHECKOUT

EXAMPLE = CHECKOUT / "backend" / "nightflash" / "data" / "example.jpg"
QUALITY = 88


def main() -> None:
    """Write them into ``docs``."""
    with a_profile() as profile, tempfile.TemporaryDirectory() as artifacts:
        photo = profile.folder / EXAMPLE.name
        shutil.copyfile(EXAMPLE, photo)
        with screen(build(), profile, Path(artifacts), photo, room=(1280, 800)) as shown:
            dialog = Filter(shown)
            dialog.open()
            dialog.press("Split", "toggle button")
            dialog.preview("split", 2)
            keep(shown, "dialog")
            dialog.close()


def keep(shown: Screen, name: str) -> None:
    """Keep what the dialog shows as a picture."""
    x, y, width, height = shown.widget(TITLE, "dialog").place
    pixels = shown.shot(name)[y : y + height, x : x + width]
    Image.fromarray(pixels).save(CHECKOUT / "docs" / f"{name}.jpg", quality=QUALITY, optimize=True)


if __name__ == "__main__":
    main()
