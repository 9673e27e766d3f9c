from __future__ import annotations

import ast
import json
import shutil
import sys
from pathlib import Path

import pytest
from nightflash.folders import data_folder

from tests.install.machine import CHECKOUT, Machine, environment, pytorch

CPU = pytorch.CPU_INDEX


def test_a_second_set_up_does_not_touch_pip(machine: Machine) -> None:
    python = machine.set_up("heic")
    assert python.is_file()
    assert machine.home in python.parents
    assert machine.calls()
    assert machine.set_up("heic") == python
    assert machine.calls() == []


def test_fewer_extras_need_nothing_and_further_ones_only_themselves(machine: Machine) -> None:
    machine.set_up("test")
    machine.calls()
    machine.set_up()
    machine.set_up("heic")
    assert machine.calls() == []  # pillow-heif is one of the packages for tests
    machine.set_up("test", "heic")
    assert machine.calls() == []


def test_an_extra_that_is_missing_is_added_to_what_is_there(machine: Machine) -> None:
    python = machine.set_up()
    note = python.parent / "still the same environment"
    note.touch()
    machine.calls()
    machine.set_up("heic")
    (call,) = machine.calls()
    assert call[0] == "install"
    assert "pillow-heif>=0.18" in call
    assert note.exists()
    machine.set_up()
    machine.set_up("heic")
    assert machine.calls() == []


def test_torch_and_torchvision_come_in_one_command_from_the_index_without_cuda(
    machine: Machine,
) -> None:
    machine.set_up()
    first, second = machine.calls()
    assert first[first.index("--index-url") + 1] == CPU
    assert {"torch", "torchvision"} == {line.split(">")[0] for line in first[-2:]}
    assert "--index-url" not in second


@pytest.mark.parametrize("unreachable", [True, False])
def test_without_the_index_or_with_a_gpu_they_come_from_the_registry(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, unreachable: bool
) -> None:
    if unreachable:
        monkeypatch.setattr(pytorch, "is_reachable", lambda index: False)
    else:
        monkeypatch.setattr(pytorch, "has_nvidia_gpu", lambda: True)
        monkeypatch.setattr(pytorch, "reaches_gpu", lambda python: True)
    machine.set_up()
    first, _ = machine.calls()
    assert "--index-url" not in first
    assert {"torch", "torchvision"} == {line.split(">")[0] for line in first[-2:]}
    machine.set_up()
    assert machine.calls() == []


def test_an_index_without_wheels_for_this_machine_is_left_for_the_registry(
    machine: Machine,
) -> None:
    machine.trouble(("fail", CPU))
    assert pytorch.works(machine.set_up())
    assert [CPU in call for call in machine.calls()] == [True, False, False, False]


def test_a_named_index_that_fails_is_a_fault(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTFLASH_TORCH_INDEX", "https://mirror.example/gone")
    machine.trouble(("fail", "mirror.example"))
    with pytest.raises(environment.SetupError, match=r"Installing packages failed"):
        machine.set_up()
    assert len(machine.calls()) == 1


def test_a_torchvision_of_another_build_is_replaced_with_its_torch(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.trouble(("mismatch", "--index-url"))
    python = machine.set_up()
    _, removal, again, _ = machine.calls()
    assert removal == ["uninstall", "--yes", "torch", "torchvision"]
    assert "--index-url" not in again
    assert {"torch", "torchvision"} == {line.split(">")[0] for line in again[-2:]}
    assert pytorch.works(python)
    assert "do not work; taking both from the registry" in capsys.readouterr().err


def test_a_pytorch_that_never_works_is_a_fault_each_time(machine: Machine) -> None:
    machine.trouble(("mismatch", "torch"))
    for _ in range(2):
        with pytest.raises(
            environment.SetupError, match=r"does not run on this machine.*setup\.log"
        ):
            machine.set_up()


def test_a_gpu_put_in_later_brings_the_other_build_and_its_removal_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.set_up()
    machine.calls()
    with monkeypatch.context() as with_gpu:
        with_gpu.setattr(pytorch, "has_nvidia_gpu", lambda: True)
        with_gpu.setattr(pytorch, "reaches_gpu", lambda python: True)
        machine.set_up()
        assert [call[0] for call in machine.calls()] == ["uninstall", "install", "install"]
        machine.set_up()
    machine.set_up()
    assert machine.calls() == []


def test_the_user_may_name_the_index(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTFLASH_TORCH_INDEX", "https://mirror.example/rocm")
    machine.set_up()
    first, _ = machine.calls()
    assert first[first.index("--index-url") + 1] == "https://mirror.example/rocm"
    machine.set_up()
    monkeypatch.delenv("NIGHTFLASH_TORCH_INDEX")
    machine.set_up()
    assert machine.calls() == []


@pytest.mark.parametrize("stage", ["torch>=2.6", "numpy>=1.26"])
def test_an_interrupted_set_up_is_repaired(machine: Machine, stage: str) -> None:
    machine.trouble(("die", stage))
    process = machine.set_up_elsewhere()
    process.communicate()
    assert process.returncode == -9
    machine.trouble()
    python = machine.set_up()
    assert pytorch.works(python)
    machine.calls()
    machine.set_up()
    assert machine.calls() == []


def test_the_pip_of_a_killed_set_up_is_waited_for(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.trouble(("orphan", "torch>=2.6"))
    process = machine.set_up_elsewhere()
    process.communicate()
    machine.trouble()
    python = machine.set_up()
    assert (machine.control / "orphan ended").exists()
    assert pytorch.works(python)


def test_two_at_once_make_one_environment(machine: Machine) -> None:
    processes = [machine.set_up_elsewhere("heic") for _ in range(3)]
    answers = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], answers
    assert len({stdout for stdout, _ in answers}) == 1
    assert len(machine.calls()) == 2


@pytest.mark.parametrize("damage", ["no python", "another python", "bad stamp", "no stamp"])
def test_a_broken_environment_is_made_anew(machine: Machine, damage: str) -> None:
    python = machine.set_up()
    stamp = python.parents[1] / "complete.json"
    old = python.parent / "of the old environment"
    old.touch()
    match damage:
        case "no python":
            python.unlink()
        case "another python":
            fields = json.loads(stamp.read_text())
            stamp.write_text(json.dumps({**fields, "python": "3.8"}))
        case "bad stamp":
            stamp.write_text("{")
        case "no stamp":
            stamp.unlink()
    assert pytorch.works(machine.set_up())
    assert not old.exists()


def test_pip_giving_up_is_explained_and_spoils_nothing(machine: Machine) -> None:
    python = machine.set_up()
    old = python.parent / "of the old environment"
    old.touch()
    machine.trouble(("fail", "pillow-heif"))
    with pytest.raises(environment.SetupError) as fault:
        machine.set_up("heic")
    assert "No matching distribution found for pillow-heif" in str(fault.value)
    assert str(machine.home / "setup.log") in str(fault.value)
    machine.calls()
    machine.set_up()
    assert machine.calls() == []
    machine.trouble()
    machine.set_up("heic")
    assert old.exists()


def test_a_failed_first_set_up_goes_on_after_pytorch(machine: Machine) -> None:
    machine.trouble(("fail", "numpy"))
    with pytest.raises(environment.SetupError):
        machine.set_up()
    machine.trouble()
    machine.calls()
    machine.set_up()
    (call,) = machine.calls()
    assert "numpy>=1.26" in call


def test_a_full_disk_is_told_before_anything_is_fetched(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=1_500_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(environment.SetupError, match=r"about 3 GB and .* has 1\.5 GB free"):
        machine.set_up()
    monkeypatch.setattr(pytorch, "is_reachable", lambda index: False)
    with pytest.raises(environment.SetupError, match="about 7 GB"):
        machine.set_up()
    assert machine.calls() == []


def test_a_folder_that_cannot_be_made_is_named(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = machine.control / "a file"
    file.touch()
    monkeypatch.setenv("NIGHTFLASH_HOME", str(file / "data"))
    with pytest.raises(environment.SetupError, match=r"a file/data.*NIGHTFLASH_HOME"):
        machine.set_up()


def test_pip_is_kept_from_other_places(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_TARGET", str(machine.control / "elsewhere"))
    monkeypatch.setenv("PIP_USER", "1")
    variables = environment.Environment(machine.home)._variables()
    assert "PIP_TARGET" not in variables
    assert variables["PIP_USER"] == "0"
    assert Path(variables["TMPDIR"]).parent == machine.home
    machine.set_up()
    assert not Path(variables["TMPDIR"]).exists()


def test_a_named_interpreter_is_used_as_it_is(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTFLASH_PYTHON", sys.executable)
    assert machine.set_up("test") == Path(sys.executable)
    assert machine.calls() == []
    assert not machine.home.exists()


def test_requirements_are_those_of_the_project_file(tmp_path: Path) -> None:
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(
        '[project]\ndependencies = ["torch>=2"]\n'
        '[project.optional-dependencies]\nsee = ["eyes", "torch>=2"]\nhear = ["ears"]\n'
    )
    assert environment.requirements((), pyproject) == ("torch>=2",)
    assert environment.requirements(("see",), pyproject) == ("torch>=2", "eyes")


def test_a_changed_requirement_is_installed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.set_up()
    machine.calls()
    before = environment.requirements()
    after = tuple(line.replace("numpy>=1.26", "numpy>=2.0") for line in before)
    monkeypatch.setattr(environment, "requirements", lambda extras: after)
    machine.set_up()
    (call,) = machine.calls()
    assert "numpy>=2.0" in call
    machine.set_up()
    assert machine.calls() == []


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, "home/.local/share/nightflash"),
        ("linux", {"XDG_DATA_HOME": "/data ü"}, "/data ü/nightflash"),
        ("darwin", {}, "home/Library/Application Support/nightflash"),
        ("linux", {"NIGHTFLASH_HOME": "/mine"}, "/mine"),
        ("linux", {"NIGHTFLASH_HOME": "~/mine"}, "home/mine"),
    ],
)
def test_the_data_folder(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    platform: str,
    variables: dict[str, str],
    expected: str,
) -> None:
    for name in ("NIGHTFLASH_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "platform", platform)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert data_folder() == tmp_path / expected


def test_only_the_standard_library_is_needed() -> None:
    own = {path.stem for path in (CHECKOUT / "install").glob("*.py")}
    allowed = {*sys.stdlib_module_names, *own, "nightflash"}
    package = CHECKOUT / "backend" / "nightflash"
    names = ("__init__", "commands/results", "errors", "folders", "settings", "whole_file")
    read_from_the_package = [package / f"{name}.py" for name in names]
    read_from_the_package += (package / "gimp").glob("*.py")
    for source in [*(CHECKOUT / "install").glob("*.py"), *read_from_the_package]:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert {name.split(".")[0] for name in names} <= allowed, source.name
