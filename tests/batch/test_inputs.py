"""What INPUT... of ``nightflash batch`` means."""

from __future__ import annotations

from pathlib import Path

import pytest
from nightflash.cli import main
from nightflash.commands.inputs import find
from nightflash.errors import NightFlashError

from tests.command_line import photo


def places(*inputs: Path | str, out: Path | str = "/nowhere") -> dict[str, str]:
    """Name of each photo to the place of its night."""
    return {Path(one.photo).name: one.place for one in find(map(str, inputs), str(out))}


def test_a_folder_is_mirrored(photos: Path) -> None:
    (photos / ".hidden").mkdir()
    photo(photos / ".hidden" / "d.png")
    (photos / "nights").mkdir()
    photo(photos / "nights" / "e.png")
    (photos / "notes.txt").write_text("no photo")
    photo(photos / "f.bmp")
    assert places(photos, out=photos / "nights") == {
        "a.png": "a.png",
        "b.png": "b.png",
        "c.png": "deep/er/c.png",
        "f.bmp": "f.bmp.png",
    }


def test_folders_keep_their_names_where_there_are_several(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "others").mkdir()
    photo(tmp_path / "others" / "o.png")
    assert places(photos, tmp_path / "others", photos / "a.png") == {
        "a.png": "a.png",
        "b.png": "photos/b.png",
        "c.png": "photos/deep/er/c.png",
        "o.png": "others/o.png",
    }


def test_globs(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert places(f"{photos}/**/*.png") == {
        "a.png": "a.png",
        "b.png": "b.png",
        "c.png": "deep/er/c.png",
    }
    monkeypatch.chdir(photos)
    assert places("[ab].png") == {"a.png": "a.png", "b.png": "b.png"}


def test_lists(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"# two\nphotos/a.png\n\n{photos}/deep/er/c.png\n")
    assert places(tmp_path / "list.txt") == {
        "a.png": "photos/a.png",
        "c.png": "photos/deep/er/c.png",
    }
    (photos / "deep" / "list.txt").write_text("../a.png\n../b.png")
    assert places(photos / "deep" / "list.txt") == {"a.png": "a.png", "b.png": "b.png"}
    (tmp_path / "list.csv").write_text(
        'photo,out,box,ambient,flash\nphotos/a.png,x/y.jpg,"1,2,30,40",-6,\nphotos/b.png,,,,off\n'
    )
    first, second = find([str(tmp_path / "list.csv")], "/nowhere")
    assert (first.place, second.place) == ("x/y.jpg", "photos/b.png")
    assert first.row == {"box": "1,2,30,40", "ambient": "-6"}
    assert second.row == {"flash": "off"}


def test_lists_as_parquet(photos: Path, tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [
        {"photo": "photos/a.png", "ambient": -6.0, "flash": True, "box": [1, 2, 30, 40]},
        {"photo": "photos/b.png", "ambient": None, "flash": False, "box": None},
    ]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "list.parquet")
    first, second = find([str(tmp_path / "list.parquet")], "/nowhere")
    assert first.row == {"ambient": "-6.0", "flash": "on", "box": "1,2,30,40"}
    assert second.row == {"flash": "off"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("photo\n,\n", "more values"),
        ("photo,box\n,\n", "photo 1: no photo is named"),
        ("photo,out\na.png,../x.png\n", "photo 1: ../x.png does not lie below"),
        ("photo,colour\na.png,red\n", "photo 1: The column 'colour' means nothing"),
        ("photo,ambient\na.png,99\n", "photo 1: The setting 'ambient' cannot be"),
        ("photo,box\na.png,1\n", "photo 1: The column box takes X,Y,W,H"),
    ],
)
def test_what_is_wrong_with_a_list_is_told(
    photos: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (photos / "list.csv").write_text(text)
    out = photos.parent / "out"
    assert main(["batch", str(photos / "list.csv"), str(out)]) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    for wrong in ("nothing", "*.png", "s9://bucket/photos"):
        with pytest.raises(NightFlashError):
            find([str(tmp_path / wrong) if "://" not in wrong else wrong], str(tmp_path))
