"""Relative and metric files have the same names and shapes: the hash tells them apart."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from nightflash.errors import NightFlashError
from nightflash.models.depth_anything import kinds
from nightflash.models.depth_anything.kinds import INDOOR, KINDS, OUTDOOR, RELATIVE, check_kind
from nightflash.models.depth_anything.network import load
from nightflash.models.tensors import OtherWeights
from torch import Tensor

from tests.models.depth_anything.official import write_own
from tests.models.pictures import CPU


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file whose hash is the indoor network's."""
    path = tmp_path / "some.pth"
    path.write_bytes(b"weights")
    indoor = replace(INDOOR, hashes=(hashlib.sha256(b"weights").hexdigest(),))
    monkeypatch.setattr(kinds, "KINDS", {kind.name: kind for kind in (RELATIVE, indoor, OUTDOOR)})
    return path


def test_a_file_is_of_the_kind_that_its_hash_tells(path: Path) -> None:
    check_kind(path, kinds.KINDS[INDOOR.name])
    for kind in (RELATIVE, OUTDOOR):
        with pytest.raises(OtherWeights, match=f"that of {INDOOR.name}"):
            check_kind(path, kind)


def test_a_note_cannot_make_one_kind_of_another(path: Path) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")
    with pytest.raises(OtherWeights, match=f"that of {INDOOR.name}"):
        check_kind(path, RELATIVE)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_file_of_unknown_hash_is_refused(
    kind: kinds.Kind, official: dict[str, Tensor], tmp_path: Path
) -> None:
    path = write_own(tmp_path / "w.pth", official)
    note = path.with_name("w.pth.sha256")
    assert load(kind, path, CPU).farthest == kind.farthest
    for text in (None, "0" * 64 + "  w.pth\n", "no hash"):
        note.unlink(missing_ok=True)
        if text is not None:
            note.write_text(text)
        with pytest.raises(NightFlashError, match="its hash is unknown") as caught:
            load(kind, path, CPU)
        assert caught.value.code == "networks_corrupt"


def test_no_hash_belongs_to_two_kinds() -> None:
    hashes = [digest for kind in KINDS.values() for digest in kind.hashes]
    assert len(set(hashes)) == len(hashes) == 6
    assert all(len(digest) == 64 and int(digest, 16) for digest in hashes)
