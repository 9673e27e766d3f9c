"""Train the networks that ship with NightFlash.

    python -m training scene      # depth and main object, a day on a CPU
    python -m training features   # content features, an hour on a CPU

from the folder ``backend`` of a checkout. It can be interrupted at any time, or bounded in minutes:
the same command goes on where it was. The finished weights are written beside the network's module.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from nightflash.models.builtin import content_net, scene_net
from nightflash.models.builtin.weights import FOLDER, write_own
from nightflash.models.device import choose_device
from nightflash.models.weights import weights_folder
from torch import nn

from training.configuration import CONFIG, Recipe
from training.features import features
from training.loop import Workplace
from training.scene_network import scene_network

SHARED = Path(__file__).resolve().parents[3] / "shared"


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("network", choices=("scene", "features"))
    parser.add_argument("--photos", type=Path, default=SHARED / "photos")
    parser.add_argument("--weights", type=Path, default=SHARED / "weights")
    # Beside the weights, where it outlives the checkout, and not among them, which people copy.
    parser.add_argument("--work", type=Path, default=weights_folder().parent / "training")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--minutes", type=float, help="stop for now after so many")
    options = parser.parse_args()
    until = None if options.minutes is None else time.monotonic() + 60 * options.minutes
    options.work.mkdir(parents=True, exist_ok=True)
    recipe = Recipe.of(options.network, options.config)
    device = choose_device(options.device)
    at = Workplace(options.photos, options.weights, options.work, device, _say, until)
    network: nn.Module | None
    if options.network == "scene":
        name, network = scene_net.NAME, scene_network(recipe, at)
    else:
        name, network = content_net.NAME, features(recipe, at)
    if network is not None:
        path = write_own(network, name, options.out)
        print(f"{path}: {path.stat().st_size:,} bytes")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    torch.set_float32_matmul_precision("high")
    main()
