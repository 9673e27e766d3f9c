from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.install.machine import executable, pytorch


@pytest.fixture
def no_index_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NIGHTFLASH_TORCH_INDEX", raising=False)


@pytest.mark.parametrize("file", ["proc/driver/nvidia/version", "dev/nvidia0"])
def test_the_driver_tells_of_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not pytorch.has_nvidia_gpu(tmp_path)
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).touch()
    assert pytorch.has_nvidia_gpu(tmp_path)


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("echo 'GPU 0: NVIDIA GeForce RTX 4070 (UUID: GPU-1)'", True),
        ("echo 'No devices found.'", False),
        ("echo 'GPU access failed'; exit 9", False),
    ],
)
@pytest.mark.parametrize("folder", ["on the path", "usr/lib/wsl/lib"])
def test_nvidia_smi_tells_of_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, found: bool, folder: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "on the path"))
    executable(tmp_path / folder / "nvidia-smi", script)
    assert pytorch.has_nvidia_gpu(tmp_path) is found


@pytest.mark.usefixtures("no_index_named")
@pytest.mark.parametrize(
    ("platform", "has_gpu", "index"),
    [
        ("linux", False, pytorch.CPU_INDEX),
        ("linux", True, pytorch.REGISTRY),
        ("darwin", False, pytorch.REGISTRY),
        ("win32", False, pytorch.REGISTRY),
        ("win32", True, pytorch.WINDOWS_CUDA_INDEX),
    ],
)
def test_the_index_fits_the_machine(platform: str, has_gpu: bool, index: str) -> None:
    assert pytorch.fitting_index(has_gpu, platform) == index


@pytest.mark.parametrize("named", ["https://mirror.example/whl", ""])
def test_a_named_index_goes_before(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("NIGHTFLASH_TORCH_INDEX", named)
    assert pytorch.fitting_index(True, "linux") == named
    assert pytorch.fitting_index(False, "linux") == named


def test_an_index_that_answers_is_reachable_and_one_that_refuses_is_not() -> None:
    class Index(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/cpu/torch/" else 404)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{server.server_port}"
        assert pytorch.is_reachable(f"{here}/cpu", 30)
        assert pytorch.is_reachable(f"{here}/cpu/", 30)
        assert not pytorch.is_reachable(f"{here}/gone", 30)
        server.shutdown()
    assert not pytorch.is_reachable(here, 30)
    assert not pytorch.is_reachable("no address at all", 30)


def test_an_index_that_never_answers_does_not_hang() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert not pytorch.is_reachable(f"http://127.0.0.1:{port}/cpu", 0.2)


def test_the_cpu_build_needs_less_room() -> None:
    assert pytorch.gigabytes(pytorch.CPU_INDEX, "linux") < pytorch.gigabytes("", "linux")
    assert pytorch.gigabytes("", "darwin") < pytorch.gigabytes("", "linux")
