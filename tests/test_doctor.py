"""The doctor sees what is there, and says what to do about what is not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from nightflash.commands import doctor
from nightflash.commands.doctor import Finding, examine
from nightflash.gimp.profiles import profiles
from nightflash.models.registry import NETWORKS
from nightflash.models.weights import NOTE

from tests.server.backend import a_place


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.about: finding for finding in findings}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "GIMP3_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_sound_machine_with_a_backend(home: Path, shared: Path) -> None:
    (home / ".config/GIMP/3.0").mkdir(parents=True)
    with a_place() as place:
        with place.client() as client:
            client.connect()
        found = by_name(list(examine(shared / "weights")))
        command = place.command("doctor", "--weights", str(shared / "weights"))
    assert all(finding.sound for finding in found.values())
    assert "torch" in found["environment"].text
    assert "TCMonoDepth" in found["network for depth"].text
    assert "models download" in found["network for depth"].remedy
    assert "YOLOX" in found["network for subject"].text  # in the place of a better one
    assert not found["network for features"].remedy
    assert "process" in found["backend"].text
    assert found["connection"].text.endswith("MB/s by ipc.")
    assert "3.0 (package)" in found["GIMP"].text
    assert "nightflash gimp install" in found["GIMP"].remedy
    assert command.returncode == 0
    assert [line[:3] for line in command.stdout.splitlines()] == ["ok "] * len(found)


def test_a_machine_with_little_on_it(home: Path) -> None:
    with a_place():
        found = by_name(list(examine(home / "none")))
    assert found["network for subject"].text.startswith("SceneNet")
    assert str(home / "none") in found["network for depth"].remedy
    assert "not running" in found["backend"].text
    assert "no profile" in found["GIMP"].text


def test_networks_for_depth_in_metres_are_told(tmp_path: Path) -> None:
    pair = [NETWORKS[f"depth_anything_v2_{place}_small"] for place in ("indoor", "outdoor")]
    for network in pair:
        file = tmp_path / network.files[0].name
        file.write_bytes(b"of one's own")
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        file.with_name(f"{file.name}{NOTE}").write_text(digest)
    found = by_name(list(doctor.networks(tmp_path)))["network for depth"]
    assert all(network.title in found.text for network in pair)
    assert not found.remedy


def test_what_is_wrong_is_told_with_a_remedy(
    home: Path, monkeypatch: pytest.MonkeyPatch, shared: Path
) -> None:
    weights = home / "weights"
    weights.mkdir()
    (weights / "yolox_nano.onnx").write_bytes(b"damaged")
    monkeypatch.setattr(doctor, "PACKAGES", (*doctor.PACKAGES, "no-such-package"))
    monkeypatch.setattr(doctor, "LEAST_FREE", 1e18)
    with a_place() as place:
        (place.folder / "run").mkdir(mode=0o755)
        (place.folder / "run" / "backend.lock").touch()
        found = by_name(list(examine(weights)))
        command = place.command("doctor", "--weights", str(weights))
    assert not found["environment"].sound
    assert "no-such-package" in found["environment"].text
    assert "damaged" in found["networks"].text
    assert not found["networks"].sound
    assert not found["disk"].sound
    assert all(
        finding.remedy
        for finding in found.values()
        if not finding.sound and finding.about != "networks"
    )
    assert command.returncode == 1
    assert "!! networks" in command.stdout


@pytest.mark.parametrize(
    ("platform", "variables", "folder", "kind"),
    [
        ("linux", {}, ".config/GIMP/3.0", "package"),
        ("linux", {"XDG_CONFIG_HOME": "HOME/c"}, "c/GIMP/3.2", "package"),
        ("linux", {"GIMP3_DIRECTORY": "HOME/own/3.0"}, "own/3.0", "package"),
        ("linux", {}, ".var/app/org.gimp.GIMP/config/GIMP/3.0", "flatpak"),
        ("linux", {}, "snap/gimp/current/GIMP/3.0", "snap"),
        ("darwin", {}, "Library/Application Support/GIMP/3.0", "package"),
        ("win32", {"APPDATA": "HOME/Roaming"}, "Roaming/GIMP/3.2", "package"),
    ],
)
def test_profiles(
    tmp_path: Path, platform: str, variables: dict[str, str], folder: str, kind: str
) -> None:
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder).with_name("2.10").mkdir()
    named = {key: value.replace("HOME", str(tmp_path)) for key, value in variables.items()}
    (found,) = profiles(tmp_path, named, platform)
    assert (found.folder, found.kind) == (tmp_path / folder, kind)
    assert found.plug_ins == tmp_path / folder / "plug-ins"
    assert found.version == Path(folder).name
