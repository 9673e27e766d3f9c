"""``nightflash doctor`` looks at everything that is needed, and says how to mend what is wrong."""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nightflash import __version__
from nightflash.commands import streams
from nightflash.errors import NightFlashError

LEAST_FREE = 2e9  # bytes of disk for logs, results and a set-up
PROBE_BYTES = 16 * 2**20
PACKAGES = ("torch", "torchvision", "timm", "numpy", "pillow", "pyzmq", "imagecodecs", "tifffile")


def add(commands: Any) -> None:
    """Add the command to argparse's ``commands``."""
    parser = commands.add_parser(
        "doctor", help="look at everything NightFlash needs", allow_abbrev=False
    )
    parser.add_argument("--weights", metavar="DIR", type=Path, help="folder of network files")
    parser.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    sound = True
    for finding in examine(options.weights):
        streams.print_output(str(finding))
        sound = sound and finding.sound
    return 0 if sound else 1


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's.

    Attributes:
        about: What was looked at.
        sound: Whether it serves.
        text: What was found.
        remedy: What to do where it is not sound, or could be better.
    """

    about: str
    sound: bool
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        sign = "ok" if self.sound else "!!"
        return f"{sign} {self.about}: {self.text}" + (f" {self.remedy}" if self.remedy else "")


def examine(weights: Path | None = None) -> Iterator[Finding]:
    """Look at one thing after the other; whatever fails becomes a finding.

    Args:
        weights: Folder of network files; None for the user's own.
    """
    looks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("environment", _environment),
        ("device", _device),
        ("networks", lambda: networks(weights)),
        ("backend", _backend),
        ("disk", _disk),
        ("GIMP", _gimp),
    ]
    for about, look in looks:
        try:
            yield from look()
        except NightFlashError as fault:
            yield Finding(about, False, fault.sentence, fault.remedy)
        except Exception as fault:  # a broken installation breaks in any way
            yield Finding(
                about, False, f"{type(fault).__name__}: {fault}", "Run the installer again."
            )


def _environment() -> Iterator[Finding]:
    missing = [name for name in PACKAGES if _version(name) is None]
    versions = ", ".join(f"{name} {_version(name)}" for name in ("torch", "torchvision", "pyzmq"))
    text = f"NightFlash {__version__}, Python {platform.python_version()}, {versions}."
    if missing:
        text = f"{', '.join(missing)} not installed in {sys.prefix}."
    yield Finding("environment", not missing, text, "Run the installer again." if missing else "")


def _device() -> Iterator[Finding]:
    import torch

    from nightflash.models.device import choose_device, why_no_gpu

    device = choose_device("auto")
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"{device.type}"
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    yield Finding("device", True, f"{name}{threads}.", why_no_gpu())


def networks(weights: Path | None) -> Iterator[Finding]:
    """Look at the networks for every role.

    Args:
        weights: Folder of network files; None for the user's own.

    Raises:
        NightFlashError: ``networks_corrupt`` for a damaged file of a network that would work.
    """
    from nightflash.models.choice import STANDS_IN, Choice
    from nightflash.models.chosen import Chosen
    from nightflash.models.device import capacity, choose_device
    from nightflash.models.recommendation import recommended
    from nightflash.models.weights import verify, weights_folder

    folder, room = weights_folder(weights), capacity(choose_device("auto"))
    chosen = Chosen.of(Choice.of("auto"), folder, room).by_role
    for best in recommended("auto", room):
        working = chosen[best.role]
        for network in working:
            if (file := network.present(folder)) is not None:
                verify(file, folder)
        text = f"{' or '.join(network.title for network in working) or 'none'}."
        if not working and (others := chosen[STANDS_IN.get(best.role, best.role)]):
            text = f"none; {others[0].title} does what it can."
        remedy = f"{best.title}, sees better: 'nightflash models download' fetches it to {folder}."
        at_best = best in working or any(network.metric for network in working)
        yield Finding(f"network for {best.role}", True, text, "" if at_best else remedy)


def _backend() -> Iterator[Finding]:
    from nightflash.client.client import Client
    from nightflash.client.holder import backend_runs
    from nightflash.client.protocol import Layout, Pixels

    if not backend_runs():
        yield Finding("backend", True, "not running; it starts with the first request.")
        return
    with Client(command=None) as client:
        state = client.ask("status")
        yield Finding("backend", True, f"process {state['pid']}, {state['state']}.")
        probe = Pixels.cut(Layout(4096, PROBE_BYTES // 4096, "u8", 1), bytes(PROBE_BYTES))
        start = time.perf_counter()
        same = bytes(client.echo(probe).strips[0]) == bytes(PROBE_BYTES)
        speed = 2 * PROBE_BYTES / (time.perf_counter() - start) / 1e6
        text = f"{speed:.0f} MB/s by {client.transport}."
        yield Finding("connection", same, text, "" if same else "Stop the backend and try again.")


def _disk() -> Iterator[Finding]:
    from nightflash.client.connection import state_folder
    from nightflash.models.weights import weights_folder

    seen = set()
    for folder in (weights_folder(), state_folder()):
        there = next(p for p in (folder, *folder.parents) if p.is_dir())
        if there.stat().st_dev in seen:
            continue
        seen.add(there.stat().st_dev)
        free = shutil.disk_usage(there).free
        enough = free > LEAST_FREE
        remedy = "" if enough else "Make room."
        yield Finding("disk", enough, f"{free / 1e9:.1f} GB free at {there}.", remedy)


def _gimp() -> Iterator[Finding]:
    from nightflash.gimp.profiles import PLUG_IN, profiles

    found = profiles()
    if not found:
        yield Finding("GIMP", True, "no profile of GIMP 3 found.", "Is it here? Start it once.")
    for profile in found:
        there = (profile.plug_in / f"{PLUG_IN}.py").is_file()
        text = f"{profile.version} ({profile.kind}) at {profile.folder}, "
        yield Finding(
            "GIMP",
            True,
            text + ("with the plug-in." if there else "without the plug-in."),
            "" if there else "Install it with: nightflash gimp install",
        )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
