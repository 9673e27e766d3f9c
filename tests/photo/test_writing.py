"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import stat
import sys
from pathlib import Path
from typing import BinaryIO

import imagecodecs
import numpy as np
import pytest
import tifffile
from nightflash.errors import NightFlashError
from nightflash.photo import Photo, read_photo, write_photo
from PIL import Image

_PHOTO = Photo.from_encoded(np.full((4, 6, 3), 90, np.uint8))
_ENCODERS = {
    ".jpg": (Image.Image, "save"),
    ".webp": (Image.Image, "save"),
    ".png": (imagecodecs, "png_encode"),
    ".tif": (tifffile, "imwrite"),
}


@pytest.mark.parametrize("suffix", _ENCODERS)
@pytest.mark.parametrize(
    ("failure", "about"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError("encoder error -2"), "encoder failed"),
        (MemoryError(), "not enough memory"),
        (ValueError("odd"), "encoder failed"),
    ],
)
def test_a_write_that_fails_midway_leaves_everything_as_it_was(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    failure: Exception,
    about: str,
) -> None:
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(b"the old file")

    def failing(*args: object, **kwargs: object) -> None:
        for part in args:
            if hasattr(part, "write"):
                part.write(b"half a pict")
        raise failure

    monkeypatch.setattr(*_ENCODERS[suffix], failing)
    with pytest.raises(NightFlashError, match=about) as caught:
        write_photo(path, _PHOTO)
    assert caught.value.code == "bad_output"
    assert str(path) in caught.value.sentence
    assert path.read_bytes() == b"the old file"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Image.Image, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_photo(tmp_path / "photo.jpg", _PHOTO)
    assert list(tmp_path.iterdir()) == []


def test_the_new_file_takes_its_name_when_it_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"the old file")
    save = Image.Image.save
    seen: list[list[str]] = []

    def watched(self: Image.Image, file: BinaryIO, *args: str, **kwargs: object) -> None:
        seen.append(sorted(p.suffix for p in tmp_path.iterdir() if p.name.startswith(".")))
        assert path.read_bytes() == b"the old file"
        save(self, file, *args, **kwargs)

    monkeypatch.setattr(Image.Image, "save", watched)
    write_photo(path, _PHOTO)
    assert seen == [[".jpg"]]
    assert list(tmp_path.iterdir()) == [path]
    np.testing.assert_array_equal(read_photo(path).to_encoded(), _PHOTO.to_encoded())


@pytest.mark.skipif(sys.platform == "win32", reason="permissions and links of Unix")
def test_permissions_and_links_stay(tmp_path: Path) -> None:
    path, link = tmp_path / "photo.png", tmp_path / "link.png"
    path.touch()
    path.chmod(0o640)
    link.symlink_to(path)
    write_photo(link, _PHOTO)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert read_photo(path).rgb.shape == _PHOTO.rgb.shape


@pytest.mark.parametrize("suffix", [".JPG", ".Jpeg", ".PNG", ".TIFF", ".WebP"])
def test_suffixes_in_any_case(tmp_path: Path, suffix: str) -> None:
    write_photo(tmp_path / f"photo{suffix}", _PHOTO)
    assert read_photo(tmp_path / f"photo{suffix}").rgb.shape == (4, 6, 3)


def test_names_as_text_and_with_long_and_foreign_letters(tmp_path: Path) -> None:
    for name in ("Nächtliche Giraffe – 長頸鹿.png", "x" * 250 + ".png"):
        write_photo(str(tmp_path / name), _PHOTO)
        assert read_photo(str(tmp_path / name)).rgb.shape == (4, 6, 3)


def test_quality_is_heeded(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    photo = Photo.from_encoded(noise)
    for suffix in (".jpg", ".webp"):
        sizes = []
        for quality in (10, 95):
            write_photo(tmp_path / f"photo{suffix}", photo, quality=quality)
            sizes.append((tmp_path / f"photo{suffix}").stat().st_size)
        assert sizes[0] < sizes[1] / 2
