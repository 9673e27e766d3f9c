"""The connection file: whole, private, or not believed."""

from __future__ import annotations

import dataclasses
import os
import stat
import sys
from pathlib import Path

import pytest
from nightflash.client.connection import Connection, make_private, runtime_folder, state_folder
from nightflash.errors import NightFlashError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="permissions of Unix")

SOME = Connection(1, "0.1.0", 42, "ipc://x", "tcp://y", "", "tcp://z", "server", "public", "secret")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NIGHTFLASH_RUNTIME_DIR", str(tmp_path / "run"))
    make_private(runtime_folder())
    return runtime_folder()


def test_what_is_written_is_read_and_for_this_user_alone(folder: Path) -> None:
    assert Connection.read() is None
    SOME.write()
    assert Connection.read() == SOME
    assert stat.S_IMODE(Connection.path().stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    newer = dataclasses.replace(SOME, pid=43)
    newer.write()
    assert Connection.read() == newer
    assert [p.name for p in folder.iterdir()] == ["connection.json"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"pid": 3}', b'{"protocol": "1"}']
)
def test_a_damaged_file_is_none(folder: Path, content: bytes) -> None:
    Connection.path().write_bytes(content)
    Connection.path().chmod(0o600)
    assert Connection.read() is None


def test_fields_of_the_wrong_type_are_none(folder: Path) -> None:
    dataclasses.replace(SOME, pid="42").write()  # type: ignore[arg-type]
    assert Connection.read() is None


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_a_file_open_to_others_is_refused(folder: Path, mode: int) -> None:
    SOME.write()
    Connection.path().chmod(mode)
    with pytest.raises(NightFlashError, match="open to other users") as caught:
        Connection.read()
    assert caught.value.code == "not_private"
    assert "chmod 600" in caught.value.remedy


def test_a_folder_open_to_others_is_refused(folder: Path) -> None:
    SOME.write()
    folder.chmod(0o755)
    for look in (Connection.read, lambda: make_private(folder)):
        with pytest.raises(NightFlashError, match="open to other users"):
            look()


@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() != 0, reason="needs to be root")
@pytest.mark.parametrize("which", ["file", "folder"])
def test_what_belongs_to_another_user_is_refused(folder: Path, which: str) -> None:
    SOME.write()
    os.chown(folder if which == "folder" else Connection.path(), 12345, -1)
    with pytest.raises(NightFlashError, match="belongs to another user"):
        Connection.read()


def test_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    SOME.write()
    Connection.path().rename(tmp_path / "elsewhere.json")
    Connection.path().symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(NightFlashError, match="is a link"):
        Connection.read()


def test_the_folders_follow_the_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NIGHTFLASH_RUNTIME_DIR", "NIGHTFLASH_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    if sys.platform == "linux":
        assert runtime_folder() == tmp_path / "nightflash"
        assert state_folder() == tmp_path / "state" / "nightflash"
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "missing"))
        assert runtime_folder().name.startswith("nightflash")
        assert runtime_folder().parent != tmp_path / "missing"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NightFlashError, match="cannot be made") as caught:
        make_private(tmp_path / "file" / "run")
    assert "NIGHTFLASH_RUNTIME_DIR" in caught.value.remedy
