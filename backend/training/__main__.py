"""Train the networks that ship with NightFlash.

    python -m training scene      # depth and main object, hours on a CPU
    python -m training features   # content features, an hour on a CPU

from the folder ``backend`` of a checkout. It can be interrupted at any time: the same command goes
on where it was. The finished weights are written beside the network's module.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from nightflash.device import choose_device
from nightflash.models.builtin import content_net, scene_net
from nightflash.models.builtin.weights import FOLDER, write_own

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
    parser.add_argument("--work", type=Path, default=SHARED.parent / "training")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    recipe = Recipe.of(options.network, options.config)
    device = choose_device(options.device)
    at = Workplace(options.photos, options.weights, options.work, device, _say)
    if options.network == "scene":
        scene = scene_network(recipe, at)
        scene_net.fold(scene)
        path = write_own(scene, scene_net.NAME, options.out)
    else:
        path = write_own(features(recipe, at), content_net.NAME, options.out)
    print(f"{path}: {path.stat().st_size:,} bytes")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    torch.set_float32_matmul_precision("high")
    main()
