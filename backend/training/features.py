"""Train ContentNet, which judges content as VGG19 does.

What the refinement asks of features is the difference between a photo's and those of the night it
becomes, and where that difference falls when the picture changes. Both are taught: the difference
itself, through a linear layer that is later turned into a square one of the same metric, and the
slope of its square with respect to the picture.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from nightflash.models import vgg19
from nightflash.models.builtin.content_net import MEAN_COLOUR, NAME, WIDTHS, ContentNet
from nightflash.models.vgg_stack import VGGStack
from nightflash.refine.losses import content_weight
from numpy.random import Generator
from torch import Tensor, nn

from training.augment import View
from training.configuration import Recipe, Stage
from training.loop import Workplace, train
from training.photos import Example, read

PAIRS = 4
SIDE = 96


class _Student(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = VGGStack(NAME, 1.0, WIDTHS).requires_grad_(True)
        self.net.mean.fill_(MEAN_COLOUR)
        for layer in self.net.convolutions:
            assert isinstance(layer, nn.Conv2d)
            assert layer.bias is not None
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.to_teacher = nn.Conv2d(WIDTHS[-1], vgg19.WIDTHS[-1], 1, bias=False)

    def forward(self, rgb: Tensor) -> Tensor:
        result: Tensor = self.to_teacher(self.net(rgb))
        return result


def features(recipe: Recipe, at: Workplace) -> ContentNet | None:
    """Train ContentNet as ``recipe`` says; None where the time was over before."""
    device = at.device
    examples = read(at.photos, at.weights, recipe.rest["photo_side"], at.work / "photos")
    teacher = vgg19.DESCRIPTOR.load(at.weights / vgg19.DESCRIPTOR.files[0].name, device)
    assert isinstance(teacher, VGGStack)
    teacher = teacher.in_precision(torch.bfloat16)
    torch.manual_seed(recipe.seed)
    student = _Student().to(device)

    def batch_at(step: int) -> tuple[Tensor, Tensor]:
        return pairs(examples, np.random.default_rng((recipe.seed, step)))

    def loss_of(batch: tuple[Tensor, Tensor], stage: Stage) -> Tensor:
        day, night = batch
        return teach(student, teacher, day.to(device), night.to(device))

    trained = train(student, batch_at, loss_of, recipe, at, "features")
    return None if trained is None else as_shipped(trained)


def pairs(examples: Sequence[Example], rng: Generator) -> tuple[Tensor, Tensor]:
    """Parts of photos and of pictures on the way from them to nights, (N, 3, SIDE, SIDE) both."""
    days, nights = [], []
    for _ in range(PAIRS):
        example = examples[int(rng.integers(len(examples)))]
        part = View.draw(example.rgb.shape, (SIDE, SIDE), 0.35, rng)
        mask = torch.zeros(SIDE, SIDE)
        if example.mask is not None:
            mask = torch.from_numpy(part.of(example.mask)).float() / 255
        day = torch.from_numpy(part.of(example.rgb)).permute(2, 0, 1).float() / 255
        days.append(day)
        nights.append(_darkened(day, mask, rng))
    return torch.stack(days), torch.stack(nights)


def _darkened(day: Tensor, mask: Tensor, rng: Generator) -> Tensor:
    """Something like a night of ``day``: light by place and by object, and errors of all kinds."""
    coarse = _normal((1, 1, 4, 4), rng) * rng.uniform(0, 2)
    stops = F.interpolate(coarse, day.shape[1:], mode="bicubic")[0, 0] - rng.uniform(0, 6)
    stops = torch.lerp(stops, stops * 0.2 + rng.uniform(-0.3, 0.5), mask * rng.uniform())
    tint = 1 + 0.15 * _normal((3, 1, 1), rng)
    linear = day.clamp(0, 1) ** 2.2 * 2**stops * tint.clamp(0.5, 1.5)
    night = linear.clamp(0, 1) ** (1 / 2.2)
    if rng.uniform() < 0.5:
        night = torch.lerp(night, day, rng.uniform(0, 0.5))
    if rng.uniform() < 0.4:
        soft = F.avg_pool2d(night, 5, 1, 2, count_include_pad=False)
        night = torch.lerp(night, soft, rng.uniform())
    if rng.uniform() < 0.4:
        night = night + 0.05 * rng.uniform() * _normal(tuple(night.shape), rng)
    return night


def _normal(shape: tuple[int, ...], rng: Generator) -> Tensor:
    return torch.from_numpy(rng.standard_normal(shape, np.float32))


def teach(student: nn.Module, teacher: VGGStack, day: Tensor, night: Tensor) -> Tensor:
    """Loss of the student: relative squared errors of feature differences and of slopes."""
    places = torch.stack([content_weight(n, (SIDE // 4, SIDE // 4)) for n in night])[:, None]
    picture = night.clone().requires_grad_()
    with torch.no_grad():
        theirs_day = teacher.features(day)
    their_change = teacher.features(picture) - theirs_day
    (their_slope,) = torch.autograd.grad((their_change.square() * places).sum(), picture)
    picture = night.clone().requires_grad_()
    our_change = student(picture) - student(day)
    (our_slope,) = torch.autograd.grad(
        (our_change.square() * places).sum(), picture, create_graph=True
    )
    changes = _relative(our_change, their_change.detach())
    return changes + _relative(our_slope, their_slope)


def _relative(ours: Tensor, theirs: Tensor) -> Tensor:
    """Squared error against squared size, a mean over the pictures."""
    error = (ours - theirs).square().flatten(1).sum(1)
    return (error / theirs.square().flatten(1).sum(1).clamp(min=1e-6)).mean()


def as_shipped(student: nn.Module) -> ContentNet:
    """The student with its linear layer made square; the metric is exactly the same.

    ``|A x|² = |R x|²`` where ``A = Q R`` with orthonormal Q.
    """
    trained = copy.deepcopy(student).cpu().float().eval()
    assert isinstance(trained, _Student)
    network = ContentNet()
    state = network.convolutions.state_dict()
    for key, value in trained.net.convolutions.state_dict().items():
        state[key].copy_(value)
    turned = torch.linalg.qr(trained.to_teacher.weight[:, :, 0, 0].double()).R
    network.turn.weight.copy_(turned.float()[:, :, None, None])
    return network
