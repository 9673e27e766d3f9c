from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from nightflash.models import vgg19
from nightflash.models.builtin.content_net import ContentNet
from nightflash.models.builtin.scene_net import NAME, SceneNet, fold
from nightflash.models.builtin.weights import write_own
from nightflash.models.vgg_stack import VGGStack
from safetensors.torch import load_file
from torch import Tensor, nn
from training import features, loop
from training.configuration import Recipe, Stage
from training.loop import train

from tests.training.made_up import examples

STAGES = (
    Stage(steps=8, horizon=10, warm_up=3, learning_rate=0.05, rest={}),
    Stage(steps=4, horizon=4, warm_up=1, learning_rate=0.02, rest={}),
)
RECIPE = Recipe(seed=1, weight_decay=0.0, averaging=0.5, stages=STAGES, rest={})


def regression() -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(4)
    x = torch.randn(64, 3)
    return nn.Linear(3, 1), x, x @ torch.tensor([[1.0], [2.0], [-1.0]])


def taught(kept: Path, recipe: Recipe = RECIPE, stop_at: int | None = None) -> nn.Module:
    network, x, y = regression()

    def loss_at(step: int) -> Tensor:
        if step == stop_at:
            raise KeyboardInterrupt
        part = slice(step % 4 * 16, step % 4 * 16 + 16)
        return (network(x[part]) - y[part]).square().mean()

    return train(network, loss_at, recipe, kept, lambda _: None)


def test_training_that_was_interrupted_ends_where_the_other_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "KEPT_EVERY", 4)
    whole = taught(tmp_path / "whole.pt")
    with pytest.raises(KeyboardInterrupt):
        taught(tmp_path / "parts.pt", stop_at=9)
    parts = taught(tmp_path / "parts.pt")
    for key, value in whole.state_dict().items():
        assert torch.equal(parts.state_dict()[key], value), key


def test_training_lowers_the_loss_and_gives_an_average(tmp_path: Path) -> None:
    network, x, y = regression()
    average = taught(tmp_path / "a.pt", dataclasses.replace(RECIPE, stages=STAGES * 5))
    with torch.no_grad():
        before, after = (float((n(x) - y).square().mean()) for n in (network, average))
    assert after < 0.2 * before


def test_the_configuration_is_whole() -> None:
    for name in ("scene", "features"):
        recipe = Recipe.of(name)
        assert recipe.rest["photo_side"] > 0
        for stage in recipe.stages:
            assert stage.horizon >= stage.steps > stage.warm_up > 0
        _, last = recipe.at(recipe.steps - 1)
        assert last < 0.01 * recipe.stages[-1].learning_rate
    assert all(len(stage.rest["batch"]) == 5 for stage in Recipe.of("scene").stages)


def test_the_learning_rate_rises_and_falls_in_every_stage() -> None:
    rates = [RECIPE.at(step)[1] for step in range(RECIPE.steps)]
    assert rates[2] == pytest.approx(0.05)
    assert rates[:3] == sorted(rates[:3])
    assert rates[3:8] == sorted(rates[3:8], reverse=True)
    assert 0.01 < rates[7] < 0.03
    assert rates[8] == pytest.approx(0.02)
    with pytest.raises(IndexError):
        RECIPE.at(RECIPE.steps)


def test_folding_changes_nothing_that_one_sees() -> None:
    torch.manual_seed(0)
    network = SceneNet()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.5, 2)
    network.eval().requires_grad_(False)
    rgb = torch.rand(2, 3, 64, 96)
    before = network(rgb)
    fold(network)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())
    for ours, theirs in zip(network(rgb), before, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_what_is_written_is_half_as_precise_and_whole(tmp_path: Path) -> None:
    network = SceneNet().eval()
    fold(network)
    path = write_own(network, NAME, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    found = load_file(path)
    assert found.keys() == network.state_dict().keys()
    for key, value in network.state_dict().items():
        assert torch.equal(found[key], value.half()), key


def test_the_square_layer_keeps_the_metric() -> None:
    torch.manual_seed(2)
    student = features._Student()
    shipped = features.as_shipped(student)
    assert isinstance(shipped, ContentNet)
    day, night = torch.rand(2, 1, 3, 32, 40)
    with torch.no_grad():
        ours = (shipped.features(day) - shipped.features(night)).square()
        theirs = (student(day) - student(night)).square()
    assert float(ours.sum()) == pytest.approx(float(theirs.sum()), rel=1e-3)
    # On the teacher's own scale the two losses would be one.
    assert float(ours.mean()) * shipped.content_scale == pytest.approx(
        float(theirs.mean()) * vgg19.NORMALISED_CONTENT_SCALE, rel=1e-3
    )


def test_the_student_comes_nearer_to_its_teacher() -> None:
    torch.manual_seed(5)
    teacher = VGGStack("teacher", 1.0, (8, 8, 16, 16, vgg19.WIDTHS[-1]))
    for layer in teacher.convolutions:
        assert isinstance(layer, nn.Conv2d)
        assert layer.bias is not None
        nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
    student = features._Student()
    day, night = features.pairs(examples(), torch.Generator().manual_seed(1))
    optimiser = torch.optim.Adam(student.parameters(), 2e-3)
    losses = []
    for _ in range(12):
        loss = features.teach(student, teacher, day, night)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]
