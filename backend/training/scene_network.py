"""Train SceneNet, which gives depth and the main object."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from nightflash.models.builtin.scene_net import MULTIPLE_OF, NAME, SHORT_SIDE, Block, SceneNet
from nightflash.models.builtin.weights import own_state
from nightflash.models.tcmonodepth import DESCRIPTOR as TEACHER
from torch import Tensor, nn

from training.bank import Rendered, rendered
from training.batches import SIZES, Batches, Drawn
from training.collection import FOLDER, collected, for_stopping
from training.configuration import Recipe, Stage
from training.judging import judged
from training.labels import with_depth
from training.loop import Watch, Workplace, train
from training.losses import depth_loss, mask_loss
from training.photos import Example, in_16_bits, read

SIDES = 0.3  # weight of each coarser map of the main object


def scene_network(recipe: Recipe, at: Workplace) -> nn.Module | None:
    """Train SceneNet as ``recipe`` says.

    Returns:
        The network as it shall be shipped, still with its batch normalisation; None where the time
        was over before.
    """
    photos, stopping = photos_of(recipe, at)
    wild, *others = (recipe.rest[f"{kind}_scenes"] for kind in ("wild", "plausible"))
    others += [recipe.rest.get(f"{kind}_scenes", 0) for kind in ("room", "figure")]
    pictures = [photo.rgb for photo in photos]
    shown = rendered(at.work / "scenes", wild, others[0], pictures, *others[1:])
    scenes = [as_example(scene) for scene in shown]
    at.say(f"{len(photos)} photos, {len(stopping)} to stop by, {len(scenes)} rendered scenes")
    batches = Batches(photos, scenes, scenes[wild:], recipe.seed)
    trained = learn(recipe, at, batches, stopping)
    return None if trained is None else as_shipped(trained)


def photos_of(recipe: Recipe, at: Workplace) -> tuple[list[Example], list[Example]]:
    """Photos to learn from, and those that tell when to stop, all with the teacher's depth."""
    looked_at = read(at.photos, at.weights, recipe.rest["photo_side"], at.work / "photos")
    collection = collected(at.photos / FOLDER, at.work / "masks")
    teacher = TEACHER.load(at.weights / TEACHER.files[0].name, at.device)
    examples = with_depth([*looked_at, *collection], teacher, at.device, at.work / "depth")
    stopping = for_stopping(examples[len(looked_at) :])
    apart = {example.name for example in stopping}
    return [example for example in examples if example.name not in apart], stopping


def as_example(scene: Rendered) -> Example:
    """A rendered scene as an example of which all is known."""
    rgb = scene.rgb.permute(1, 2, 0).contiguous().numpy()
    depth = in_16_bits(scene.inverse_depth.numpy())
    return Example("rendered", rgb, scene.mask.numpy(), inverse_depth=depth, exact=True)


def learn(
    recipe: Recipe,
    at: Workplace,
    batches: Batches,
    stopping: list[Example],
    watch: Watch | None = None,
) -> nn.Module | None:
    """Train a network from random numbers, or go on from the weights that ship."""
    device = at.device
    torch.manual_seed(recipe.seed)
    network: nn.Module = SceneNet()
    if recipe.rest["go_on"]:
        begin_as_shipped(network)
    network = network.to(device).to(memory_format=torch.channels_last)

    def batch_at(step: int) -> Drawn:
        said = recipe.at(step)[0].rest
        return batches.at(step, said["batch"], said.get("sizes", SIZES))

    def loss_of(drawn: Drawn, stage: Stage) -> Tensor:
        batch = drawn.to(device)
        with torch.autocast(device.type, torch.bfloat16):
            depth, logits, *sides = network(batch.rgb)
        masks = mask_loss(logits, batch.mask, batch.sure)
        for side in sides:
            scale = batch.mask.shape[1] // side.shape[1]
            smaller = (F.avg_pool2d(maps, scale) for maps in (batch.mask, batch.sure))
            masks = masks + SIDES * mask_loss(side, *smaller)
        loss: Tensor = stage.rest["mask"] * masks
        for which, weight in ((batch.taught, "taught_depth"), (batch.exact, "exact_depth")):
            if bool(which.any()):
                share = which.float().mean()
                error = depth_loss(depth[which], batch.inverse_depth[which])
                loss = loss + stage.rest[weight] * share * error
        return loss

    def judge(average: nn.Module) -> dict[str, float]:
        def see(rgb: Tensor) -> tuple[Tensor, Tensor]:
            with torch.autocast(device.type, torch.bfloat16):
                depth, logits = average(rgb)
            return depth, logits.sigmoid()

        return judged(see, stopping, device, SHORT_SIDE, MULTIPLE_OF)

    return train(network, batch_at, loss_of, recipe, at, "scene", judge, watch)


def begin_as_shipped(network: nn.Module) -> None:
    """Give a network the weights that ship; blocks that it has beyond those change nothing yet.

    A residual block whose last convolution is zero passes on what it gets, and learns from the
    first step on (Chen et al., Net2Net, 2016; Goyal et al. 2017 for the zero).

    Raises:
        NightFlashError: As `read_own`.
        RuntimeError: The network is not the one that ships with more blocks.
    """
    shipped = own_state(NAME)
    for name, block in network.named_modules():
        if isinstance(block, Block) and f"{name}.narrow.weight" not in shipped:
            for weights in block.narrow.parameters():
                nn.init.zeros_(weights)
    network.load_state_dict(network.state_dict() | shipped)


def as_shipped(network: nn.Module) -> nn.Module:
    """A copy on the CPU that does not learn any more."""
    return copy.deepcopy(network).cpu().float().eval().requires_grad_(False)
