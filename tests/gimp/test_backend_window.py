"""The window "Backend" in a real GIMP 3: a download with its progress, stopped and gone on with,
and the folder of networks shown."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gimp.filter import Filter, draw
from tests.gimp.gimp import Gimp
from tests.gimp.plugin import a_profile
from tests.gimp.window import PROGRAMS, Screen, Widget, screen
from tests.models.download.downloading import CONTENT, NAME, sha256
from tests.models.download.hostile_server import Hostile, file, serving

PROGRAM = """\
import sys
from dataclasses import replace
from pathlib import Path
from nightflash.models import recommendation
from nightflash.models.registry import NETWORKS
from nightflash.models.weights import WeightsFile

NETWORK = NETWORKS["yolox_nano"]
FILE = WeightsFile({name!r}, bytes={size}, url={url!r}, sha256={sha256!r})
LACKING = WeightsFile("none.pt", bytes=9, url={url!r} + "-none", sha256={sha256!r})
FILES = [*([LACKING] if Path({lacking!r}).exists() else ()), FILE]
BEST = [replace(NETWORK, name=file.name, files=(file,)) for file in FILES]
recommendation.recommended = lambda *which: BEST

from nightflash.cli import main

raise SystemExit(main(sys.argv[1:]))
"""
"""`nightflash` where one network, the tests' own, is the best one."""
OPENER = """\
[Desktop Entry]
Type=Application
Name=Files
Exec=sh -c 'printf %%s "$1" > {told}' sh %u
MimeType=inode/directory;
"""


@pytest.fixture
def server() -> Iterator[Hostile]:
    with serving() as server:
        server.pages[f"/{NAME}"] = file(CONTENT, pause=0.4)
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "networks"
    folder.mkdir()
    return folder


@pytest.fixture
def window(
    gimp: Gimp, server: Hostile, folder: Path, artifacts: Path, tmp_path: Path
) -> Iterator[Screen]:
    if not gimp.has(*PROGRAMS):
        pytest.skip(f"one of {', '.join(PROGRAMS)} is not here")
    program = tmp_path / "program.py"
    url = f"{server.url}/{NAME}"
    facts = {"name": NAME, "size": len(CONTENT), "url": url, "sha256": sha256(CONTENT)}
    program.write_text(PROGRAM.format(**facts, lacking=str(tmp_path / "lacking")), "utf-8")
    with a_profile() as profile:
        options = ("--networks", "builtin", "--device", "cpu", "--weights", str(folder))
        profile.install(sys.executable, "-P", str(program), "serve", *options)
        home = profile.gimp / "home" / ".local" / "share" / "applications"
        home.mkdir(parents=True)
        (home / "files.desktop").write_text(OPENER.format(told=tmp_path / "opened"), "utf-8")
        defaults = "[Default Applications]\ninode/directory=files.desktop\n"
        (home / "mimeapps.list").write_text(defaults, "utf-8")
        photo = profile.folder / "photo.png"
        draw(photo)
        with screen(gimp, profile, artifacts, photo) as shown:
            dialog = Filter(shown)
            dialog.open()
            dialog.press("Backend")
            shown.until(lambda: "Ready" in texts(shown), "the backend's state", 60)
            yield shown
            shown.press(shown.widget("Backend", "button", "Close"))
            dialog.close()


def bar(shown: Screen) -> Widget:
    return shown.widget("Backend", "progress bar")


def names(shown: Screen) -> str:
    return " ".join(w.name for w in shown.widgets("Backend") if w.role == "button")


def texts(shown: Screen) -> str:
    return " ".join(w.text or "" for w in shown.widgets("Backend"))


def test_a_download_is_seen_stopped_and_gone_on_with(
    window: Screen, server: Hostile, folder: Path
) -> None:
    shown = window
    shown.press(shown.widget("Backend", "button", "Download networks"))
    shown.until(lambda: "of 0.6 MB" in texts(shown), "progress in a line", 60)
    shown.until(lambda: 0 < (bar(shown).value or 0) < 1, "progress of the bar")
    shown.shot("downloading")
    assert not shown.widget("Backend", "button", "Restart").sensitive
    shown.press(shown.widget("Backend", "button", "Stop the download"))
    shown.until(lambda: "goes on from here" in texts(shown), "that it was stopped")
    assert not (folder / NAME).exists()
    begun = sum("Range" not in asked.headers for asked in server.requests)
    server.pages[f"/{NAME}"] = file(CONTENT)
    shown.press(shown.widget("Backend", "button", "Download networks"))
    shown.until((folder / NAME).exists, "the whole file", 60)
    assert (folder / NAME).read_bytes() == CONTENT
    assert sum("Range" not in asked.headers for asked in server.requests) == begun
    shown.until(
        lambda: "Ready" in texts(shown) and "The networks are there" in texts(shown),
        "a backend with the new networks",
        90,
    )
    shown.shot("downloaded")


def test_a_download_that_fails_is_told(window: Screen, server: Hostile) -> None:
    shown = window
    del server.pages[f"/{NAME}"]
    shown.press(shown.widget("Backend", "button", "Download networks"))
    shown.until(lambda: "404" in texts(shown), "what went wrong", 60)
    assert shown.widget("Backend", "button", "Download networks").sensitive
    assert shown.widget("Backend", "button", "Restart").sensitive


def test_one_that_fails_is_told_though_another_comes(
    window: Screen, server: Hostile, folder: Path, tmp_path: Path
) -> None:
    shown = window
    (tmp_path / "lacking").touch()
    server.pages[f"/{NAME}"] = file(CONTENT)
    shown.press(shown.widget("Backend", "button", "Download networks"))
    shown.until((folder / NAME).exists, "one network", 60)
    shown.until(lambda: "Stop" not in names(shown), "end of the download", 60)
    assert "none.pt" in texts(shown)
    assert "404" in texts(shown)
    assert "--from" not in texts(shown)
    shown.shot("download-failed")


def test_the_folder_of_networks_is_opened(window: Screen, folder: Path, tmp_path: Path) -> None:
    shown, opened = window, tmp_path / "opened"
    shown.press(shown.widget("Backend", "button", "Open folder"))
    shown.until(lambda: opened.exists() and opened.read_text("utf-8"), "the folder in a window")
    time.sleep(0.2)
    assert Path(opened.read_text("utf-8").removeprefix("file://")) == folder
    assert folder.is_dir()
    assert "cannot be shown" not in texts(shown)
