"""Presets of the user's own, and which settings do nothing."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nightflash import Engine, NightFlashError, Settings, own_presets
from nightflash.cli import main
from nightflash.effect import without_effect
from nightflash.photo import Photo
from nightflash.presets import PRESETS, look_of, rename, save, settings_of
from nightflash.settings import SETTING_INFO


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(own_presets.CONFIG_VARIABLE, str(tmp_path / "config"))
    return tmp_path / "config" / own_presets.FILE


def settings(**changes: Any) -> dict[str, Any]:
    return asdict(Settings(**changes))


def test_kept_found_renamed_and_deleted() -> None:
    assert own_presets.read() == {}
    assert save("  My cellar ", settings(ambient=-9.0, steps=5)) == "My cellar"
    assert settings_of("my CELLAR") == Settings(ambient=-9.0)  # steps are no look
    save("Garten bei Nacht", settings(beam=0.5))
    rename("My cellar", "Crypt")
    assert list(own_presets.read()) == ["Crypt", "Garten bei Nacht"]
    own_presets.delete("Crypt")
    own_presets.delete("Crypt")
    with pytest.raises(NightFlashError, match="no preset"):
        settings_of("Crypt")
    assert settings_of("Garten bei Nacht").beam == 0.5


@pytest.mark.parametrize("name", ["", "  ", "Moonlit", "pitch BLACK", "x" * 61, "two\nlines", "\0"])
def test_names_that_do_not_serve(name: str, file: Path) -> None:
    with pytest.raises(NightFlashError):
        save(name, settings())
    assert not file.exists()


def test_what_another_version_wrote_stays(file: Path) -> None:
    kept = {"a": {"ambient": -3, "wind": 5, "beam": "wide", "falloff": float("nan")}}
    file.parent.mkdir()
    file.write_text(json.dumps({"presets": kept, "more": 1}), "utf-8")
    assert own_presets.read() == {"a": {"ambient": -3}}
    save("b", settings())
    written = json.loads(file.read_text("utf-8"))
    assert written["more"] == 1
    assert written["presets"]["a"]["wind"] == 5
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[]", b"[" * 100_000, b" " * 2**21])
def test_a_file_that_cannot_be_read_is_told_and_stays(content: bytes, file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    for what in (own_presets.read, lambda: save("a", settings()), lambda: settings_of("a")):
        with pytest.raises(NightFlashError, match="cannot be read"):
            what()
    assert settings_of("moonlit") != Settings()
    assert file.read_bytes() == content


def test_a_folder_that_cannot_be_written(file: Path) -> None:
    file.parent.write_text("no folder", "utf-8")
    with pytest.raises(NightFlashError, match="cannot be"):
        save("a", settings())


def test_the_command_line_has_them(capsys: pytest.CaptureFixture[str]) -> None:
    save("My cellar", settings(ambient=None, beam=0.5))
    assert main(["settings"]) == 0
    printed = capsys.readouterr().out
    assert "My cellar  (ambient=off beam=0.5)" in printed
    assert main(["render", "no.jpg", "out.jpg", "--preset", "My celar"]) == 2
    assert "My cellar" in capsys.readouterr().err


@pytest.mark.parametrize("preset", PRESETS)
def test_looks_have_no_work(preset: str) -> None:
    assert set(look_of(preset)) < set(SETTING_INFO)


OTHER: dict[str, Any] = {
    **dict.fromkeys(("ambient", "flash_ev"), -3.0),
    **dict.fromkeys(("ambient_temperature", "flash_temperature"), 3000.0),
    **dict.fromkeys(("softness", "purkinje", "night", "flatten"), 0.2),
    **dict.fromkeys(("beam", "falloff", "content"), 0.6),
    **{"flash": True, "flash_from": "left", "steps": 2, "seed": 7},
}


@pytest.mark.parametrize(
    "chosen",
    [
        {"method": "published"},
        {"flash": False, "ambient": -2.0},
        {"ambient": None},
        {"ambient": 0.5},
        {"grain": None},
        {"quality": "best", "steps": 2},
        {"quality": "best", "steps": 2, "method": "published"},
    ],
)
def test_greyed_settings_do_nothing_and_others_do(chosen: dict[str, Any]) -> None:
    base = Settings.from_values({"quality": "fast", "working_size": 0.02, **chosen})
    engine, photo = Engine("builtin", device="cpu"), a_photo()
    plain = engine.render(photo, base).photo.rgb
    idle = without_effect(asdict(base))
    for name, value in OTHER.items():
        changed = Settings.from_values({name: value}, base)
        if changed == base:
            continue
        same = np.array_equal(engine.render(photo, changed).photo.rgb, plain)
        assert same == (name in idle), name


def a_photo() -> Photo:
    """An object before a ground that goes back, with texture."""
    y, x = np.mgrid[0:120, 0:160] / 160
    rgb = np.stack((0.2 + y, 0.4 + 0 * y, 0.9 - y), -1)
    rgb[((x - 0.4) / 0.15) ** 2 + ((y - 0.45) / 0.2) ** 2 < 1] = (0.6, 0.2, 0.1)
    rgb[90:, :40] = 0.1  # dark by day, too
    rgb += np.random.default_rng(1).normal(0, 0.03, rgb.shape)
    return Photo.from_linear(rgb.clip(0, 1).astype(np.float32) ** 2.2)
