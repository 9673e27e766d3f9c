from __future__ import annotations

import copy
import dataclasses
import json
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from nightflash.models import vgg19
from nightflash.models.builtin import scene_net
from nightflash.models.builtin.content_net import ContentNet
from nightflash.models.builtin.scene_net import NAME, SceneNet, fold
from nightflash.models.builtin.weights import own_file, write_own
from nightflash.models.vgg_stack import VGGStack
from safetensors.torch import load_file
from torch import Tensor, nn
from training import features, loop
from training.batches import Batches
from training.configuration import Recipe, Stage
from training.loop import Workplace, prepared, train
from training.scene_network import begin_as_shipped, learn
from training.state import State

from tests.training.made_up import examples, scenes

STAGES = (
    Stage(steps=8, horizon=10, warm_up=3, learning_rate=0.05, rest={}),
    Stage(steps=4, horizon=4, warm_up=1, learning_rate=0.02, rest={}),
)
RECIPE = Recipe(seed=1, weight_decay=0.0, averaging=0.5, stages=STAGES, rest={})
SMALL_BATCHES = {"batch": [1, 1, 1, 1, 0], "sizes": [(64, 96), (96, 64)]}


def regression() -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(4)
    x = torch.randn(64, 3)
    return nn.Linear(3, 1), x, x @ torch.tensor([[1.0], [2.0], [-1.0]])


def place(work: Path, until: float | None = None) -> Workplace:
    return Workplace(work, work, work, torch.device("cpu"), lambda _: None, until)


def taught(
    work: Path,
    recipe: Recipe = RECIPE,
    stop_at: int | None = None,
    judge: Callable[[nn.Module], dict[str, float]] | None = None,
    until: float | None = None,
) -> nn.Module | None:
    network, x, y = regression()

    def batch_at(step: int) -> tuple[Tensor, Tensor]:
        if step == stop_at:
            raise KeyboardInterrupt
        part = slice(step % 4 * 16, step % 4 * 16 + 16)
        return x[part], y[part]

    def loss_of(batch: tuple[Tensor, Tensor], stage: Stage) -> Tensor:
        return (network(batch[0]) - batch[1]).square().mean()

    work.mkdir(exist_ok=True)
    return train(network, batch_at, loss_of, recipe, place(work, until), "line", judge)


def same(one: nn.Module | None, other: nn.Module | None) -> bool:
    assert one is not None
    assert other is not None
    a, b = one.state_dict(), other.state_dict()
    return all(torch.equal(a[key], b[key]) for key in a)


def curve(work: Path, name: str = "line") -> list[dict[str, float]]:
    lines = (work / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "KEPT_EVERY", 4)


@pytest.mark.usefixtures("often")
def test_training_that_was_interrupted_ends_where_the_other_ends(tmp_path: Path) -> None:
    whole = taught(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        taught(tmp_path / "parts", stop_at=9)
    assert same(taught(tmp_path / "parts"), whole)
    assert curve(tmp_path / "parts") == curve(tmp_path / "whole")


def test_training_in_slices_ends_where_the_other_ends(tmp_path: Path) -> None:
    whole = taught(tmp_path / "whole")
    slices = 0
    while (parts := taught(tmp_path / "parts", until=time.monotonic())) is None:
        slices += 1
    assert slices == RECIPE.steps - 1  # of one step each
    assert same(parts, whole)
    assert curve(tmp_path / "parts") == curve(tmp_path / "whole")


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    whole = taught(tmp_path)
    assert same(taught(tmp_path, stop_at=0), whole)


def test_the_network_that_ships_is_the_same_bit_for_bit_after_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "KEPT_EVERY", 2)
    recipe = Recipe.of("scene")
    stage = dataclasses.replace(recipe.stages[0], steps=4, warm_up=1)
    stage = dataclasses.replace(stage, rest=stage.rest | SMALL_BATCHES)
    recipe = dataclasses.replace(recipe, stages=(stage,))
    batches = Batches(examples(), scenes(), scenes(), recipe.seed)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for work in (whole, parts):
        work.mkdir()
    networks = [learn(recipe, place(whole), batches, examples()[:2])]
    assert learn(recipe, place(parts, until=time.monotonic()), batches, examples()[:2]) is None
    networks.append(learn(recipe, place(parts), batches, examples()[:2]))
    assert same(*networks)
    assert curve(parts, "scene") == curve(whole, "scene")
    assert curve(whole, "scene")[-1].keys() >= {"step", "loss", "iou", "mae", "spearman"}


def test_it_can_go_on_from_what_ships(tmp_path: Path) -> None:
    recipe = Recipe.of("scene")
    stage = dataclasses.replace(recipe.stages[0], steps=1, learning_rate=0.0)
    stage = dataclasses.replace(stage, rest=stage.rest | SMALL_BATCHES)
    recipe = dataclasses.replace(recipe, stages=(stage,), rest={**recipe.rest, "go_on": True})
    batches = Batches(examples(), scenes(), scenes(), recipe.seed)
    learnt = learn(recipe, place(tmp_path), batches, examples()[:2])
    assert learnt is not None
    start = load_file(own_file(NAME))
    parameters = dict(learnt.named_parameters())
    assert parameters.keys() <= start.keys()
    for key, value in parameters.items():
        assert value.requires_grad
        assert torch.equal(value.half(), start[key]), key


def test_a_deeper_network_begins_as_the_one_that_ships(monkeypatch: pytest.MonkeyPatch) -> None:
    small = SceneNet().eval()
    begin_as_shipped(small)
    monkeypatch.setattr(scene_net, "BLOCKS", [count + 1 for count in scene_net.BLOCKS])
    deeper = SceneNet().eval()
    begin_as_shipped(deeper)
    rgb = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(3))
    assert all(map(torch.equal, small(rgb), deeper(rgb)))
    deeper.train()(rgb)[1].mean().backward()
    new = [block.narrow.weight.grad for block in deeper.encoder[0]]
    assert all(slope is not None and bool(slope.any()) for slope in new)  # it can learn at once


def test_training_lowers_the_loss_and_gives_an_average(tmp_path: Path) -> None:
    network, x, y = regression()
    average = taught(tmp_path, dataclasses.replace(RECIPE, stages=STAGES * 5))
    assert average is not None
    with torch.no_grad():
        before, after = (float((n(x) - y).square().mean()) for n in (network, average))
    assert after < 0.2 * before


@pytest.mark.usefixtures("often")
def test_the_average_that_was_judged_best_is_returned(tmp_path: Path) -> None:
    seen = []

    def judge(network: nn.Module) -> dict[str, float]:
        assert not network.training
        seen.append(copy.deepcopy(network))
        return {"score": [0.1, 0.9, 0.3][len(seen) - 1]}

    best = taught(tmp_path, judge=judge)
    assert [line["score"] for line in curve(tmp_path)] == [0.1, 0.9, 0.3]
    assert [line["step"] for line in curve(tmp_path)] == [4, 8, 12]
    assert same(best, seen[1])
    assert not same(best, seen[2])


@pytest.mark.usefixtures("often")
def test_the_best_is_remembered_over_an_interruption(tmp_path: Path) -> None:
    scores = iter([0.9, 0.2, 0.3])

    def judge(network: nn.Module) -> dict[str, float]:
        return {"score": next(scores)}

    with pytest.raises(KeyboardInterrupt):
        taught(tmp_path, stop_at=6, judge=judge)
    kept = torch.load(tmp_path / "line.pt", weights_only=True)["best"]["network"]
    best = taught(tmp_path, judge=judge)
    assert best is not None
    assert all(torch.equal(kept[key], value) for key, value in best.state_dict().items())


def test_another_recipe_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network, *_ = regression()
    for recipe in (RECIPE, RECIPE, dataclasses.replace(RECIPE, seed=2)):
        state = State(network, recipe, tmp_path / "a.pt", print)
        state.keep()
    first, second = capsys.readouterr().out.splitlines()
    assert first == "taken up again at step 0"
    assert second == "taken up again at step 0, by another recipe than before"


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_batches_come_in_order_and_no_more_are_made_than_wait(device: str) -> None:
    made = []

    def make(step: int) -> int:
        made.append(step)
        return 10 * step

    with closing(prepared(make, range(3, 20), torch.device(device))) as batches:
        assert [next(batches) for _ in range(5)] == [30, 40, 50, 60, 70]
    assert made == list(range(3, 3 + len(made)))
    assert len(made) <= 5 + loop.AHEAD


def test_a_fault_in_the_data_ends_the_training(tmp_path: Path) -> None:
    def batch_at(step: int) -> Tensor:
        raise ValueError(f"no batch {step}")

    network, *_ = regression()
    with pytest.raises(ValueError, match="no batch 0"):
        train(network, batch_at, lambda b, _: b.mean(), RECIPE, place(tmp_path), "line")


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
    day, night = features.pairs(examples(), np.random.default_rng(1))
    optimiser = torch.optim.Adam(student.parameters(), 2e-3)
    losses = []
    for _ in range(12):
        loss = features.teach(student, teacher, day, night)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]
