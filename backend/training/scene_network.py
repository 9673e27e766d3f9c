"""Train SceneNet, which gives depth and the main object."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from nightflash.models.builtin.scene_net import SceneNet
from nightflash.models.tcmonodepth import DESCRIPTOR as TEACHER
from nightflash.models.tcmonodepth import TCMonoDepth
from torch import Tensor, nn

from training.bank import rendered
from training.batches import Batches
from training.configuration import Recipe
from training.loop import Workplace, train
from training.losses import depth_loss, mask_loss
from training.photos import read


def scene_network(recipe: Recipe, at: Workplace) -> SceneNet:
    """Train SceneNet as ``recipe`` says.

    Returns:
        The network as it shall be shipped, still with its batch normalisation.
    """
    device = at.device
    rest = recipe.rest
    examples = read(at.photos, at.weights, rest["photo_side"], at.work / "photos")
    pictures = [example.rgb.permute(1, 2, 0).numpy() for example in examples]
    scenes = rendered(at.work / "scenes", rest["wild_scenes"], rest["plausible_scenes"], pictures)
    at.say(f"{len(examples)} photos, {len(scenes)} rendered scenes")
    teacher = TEACHER.load(at.weights / TEACHER.files[0].name, device)
    assert isinstance(teacher, TCMonoDepth)
    batches = Batches(examples, scenes, scenes[rest["wild_scenes"] :], recipe.seed)

    torch.manual_seed(recipe.seed)
    network = SceneNet().to(device).to(memory_format=torch.channels_last)

    def loss_at(step: int) -> Tensor:
        weights_of = recipe.at(step)[0].rest
        batch = batches.at(step, weights_of["batch"])
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
            clean = batch.clean.to(device, memory_format=torch.channels_last)
            taught = F.avg_pool2d(teacher(clean).float(), 2)[:, 0]
        with torch.autocast(device.type, torch.bfloat16):
            depth, logits = network(batch.rgb.to(device, memory_format=torch.channels_last))
        count = len(taught)
        known = batch.known.to(device)
        exact = batch.inverse_depth.to(device)
        by_teacher = weights_of["taught_depth"] * count * depth_loss(depth[:count], taught)
        by_truth = weights_of["exact_depth"] * len(exact) * depth_loss(depth[count:], exact)
        masks = mask_loss(logits[known], batch.mask.to(device)[known])
        loss: Tensor = (by_teacher + by_truth) / len(depth) + weights_of["mask"] * masks
        return loss

    trained = train(network, loss_at, recipe, at.work / "scene.pt", at.say)
    assert isinstance(trained, SceneNet)
    return as_shipped(trained)


def as_shipped(network: nn.Module) -> SceneNet:
    """A copy on the CPU that does not learn any more."""
    result = copy.deepcopy(network).cpu().float().eval().requires_grad_(False)
    assert isinstance(result, SceneNet)
    return result
