from __future__ import annotations

import json
from pathlib import Path
from statistics import median

import pytest
import torch
from nightflash.errors import NightFlashError
from nightflash.models import random_features, vgg19
from nightflash.models.vgg_stack import VGGStack
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models import VGG19_Weights
from torchvision.models import vgg19 as torchvision_vgg19

from tests.models.pictures import CPU, picture

FILE = vgg19.DESCRIPTOR.files[0].name
SOME_PHOTOS = ("capybara.jpg", "darknet_dog.jpg", "gc3pie_zebra.jpg", "me_Canon_PowerShot_A20.jpg")


@pytest.fixture(scope="module")
def normalised(shared: Path) -> VGGStack:
    return vgg19.load_normalised(shared / "weights" / FILE, CPU)


@pytest.fixture(scope="module")
def random() -> VGGStack:
    return random_features.load(None, CPU)


@pytest.fixture(scope="module", params=["normalised", "random"])
def network(request: pytest.FixtureRequest) -> VGGStack:
    stack: VGGStack = request.getfixturevalue(request.param)
    return stack


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def content_loss(network: VGGStack, first: Tensor, second: Tensor) -> float:
    with torch.no_grad():
        return (network.features(first) - network.features(second)).square().mean().item()


def test_features_are_those_of_the_published_weights(shared: Path) -> None:
    network = vgg19.load_normalised(shared / "weights" / FILE, CPU, "max", "reflect")
    golden = json.loads((shared / "weights/vgg19_normalised_conv3_1.golden.json").read_text())
    rgb = picture(shared / "photos/daylight/capybara.jpg", (384, 256))[None]
    with torch.no_grad():
        found = network.features(rgb)
    assert list(found.shape) == golden["output_shape"]
    assert found.mean().item() == pytest.approx(golden["mean"], abs=1e-4)
    assert found.std().item() == pytest.approx(golden["std"], abs=1e-4)
    for channel, mean in golden["channel_means"].items():
        assert found[0, int(channel)].mean().item() == pytest.approx(mean, abs=1e-4)


@pytest.mark.parametrize(("height", "width"), [(32, 48), (37, 50)])
def test_torchvision_weights_give_torchvision_features(height: int, width: int) -> None:
    torch.manual_seed(3)
    official = torchvision_vgg19(weights=None)
    layers = official.features[:12]
    for i in (4, 9):
        layers[i] = torch.nn.AvgPool2d(2)
    for layer in layers:
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.normal_(layer.bias, std=0.3)
    rgb = torch.rand(1, 3, height, width)
    mean, std = (
        torch.tensor(values).reshape(1, 3, 1, 1)
        for values in (vgg19.IMAGENET_MEAN, vgg19.IMAGENET_STD)
    )
    network = vgg19.from_torchvision(official.state_dict())
    with torch.no_grad():
        expected = layers((rgb - mean) / std)
        found = network.features(rgb)
    assert found.shape == (1, 256, height // 4, width // 4)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_torchvision_weights_lacking_a_layer_are_refused() -> None:
    state = torchvision_vgg19(weights=None).state_dict()
    del state["features.10.bias"]
    with pytest.raises(KeyError, match=r"features\.10\.bias"):
        vgg19.from_torchvision(state)


@pytest.mark.parametrize("spoil", ["bytes", "missing", "shape"])
def test_other_weights_are_refused(spoil: str, shared: Path, tmp_path: Path) -> None:
    path = tmp_path / FILE
    if spoil == "bytes":
        path.write_bytes(b"not weights at all")
    else:
        state = torch.load(shared / "weights" / FILE, weights_only=True)
        if spoil == "missing":
            del state["16.bias"]
        else:
            state["9.weight"] = torch.zeros(128, 64, 1, 1)
        torch.save(state, path)
    with pytest.raises(NightFlashError, match=FILE) as caught:
        vgg19.load_normalised(path, CPU)
    assert caught.value.code == "networks_corrupt"


def test_noise_starts_at_the_published_content_loss(network: VGGStack, shared: Path) -> None:
    start = noise(1, 3, 400, 600)
    losses = []
    for name in SOME_PHOTOS:
        photo = picture(shared / "photos/daylight" / name, (600, 400))[None]
        losses.append(network.content_scale * content_loss(network, start, photo))
    assert median(losses) == pytest.approx(2.85, rel=0.25)  # as in the published log


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 9), (4, 4), (5, 7), (2, 400), (64, 66)])
def test_any_size_is_taken(network: VGGStack, height: int, width: int) -> None:
    found = network.features(noise(1, 3, height, width))
    assert found.shape[2:] == (max(4, height) // 4, max(4, width) // 4)
    assert found.isfinite().all()


def test_gradients_reach_the_picture_alone(network: VGGStack) -> None:
    rgb = (0.5 + 0.2 * noise(1, 3, 24, 32)).requires_grad_()
    target = network.features(torch.rand(1, 3, 24, 32))
    (network.features(rgb) - target).square().mean().backward()
    assert rgb.grad is not None
    assert (rgb.grad != 0).float().mean() > 0.99
    assert all(not weight.requires_grad and weight.grad is None for weight in network.parameters())


def test_gradient_is_the_slope_of_the_loss(network: VGGStack) -> None:
    exact = network.in_precision(torch.float64)
    rgb = (0.5 + 0.2 * noise(1, 3, 16, 16)).double().requires_grad_()
    target = exact(torch.rand(1, 3, 16, 16).double())
    direction = noise(1, 3, 16, 16, seed=1).double()

    def loss(picture: Tensor) -> Tensor:
        return (exact(picture) - target).square().mean()

    loss(rgb).backward()
    assert rgb.grad is not None
    slope = (rgb.grad * direction).sum().item()
    step = 1e-5
    with torch.no_grad():
        measured = (loss(rgb + step * direction) - loss(rgb - step * direction)) / (2 * step)
    assert measured.item() == pytest.approx(slope, rel=1e-3)


def test_bfloat16_gives_nearly_the_same_loss(network: VGGStack, shared: Path) -> None:
    photo = picture(shared / "photos/daylight/capybara.jpg", (240, 160))[None]
    half = network.in_precision(torch.bfloat16)
    assert half.features(photo).dtype == torch.float32
    for other in (noise(1, 3, 160, 240), photo * 0.3, photo.mean(1, keepdim=True).expand_as(photo)):
        assert content_loss(half, photo, other) == pytest.approx(
            content_loss(network, photo, other), rel=0.03
        )


def test_a_copy_in_less_precision_leaves_the_network_as_it_is(network: VGGStack) -> None:
    before = [weight.clone() for weight in network.parameters()]
    network.in_precision(torch.bfloat16)
    assert all(map(torch.equal, before, network.parameters()))


def test_random_features_are_the_same_every_time(random: VGGStack) -> None:
    torch.manual_seed(99)
    torch.rand(10)
    again = random_features.load(None, CPU)
    rgb = torch.rand(1, 3, 20, 20)
    torch.testing.assert_close(random.features(rgb), again.features(rgb))
    # Guards against a torch whose generator gives another sequence: figures of this very network.
    first, last = random.convolutions[0], random.convolutions[-1]
    assert isinstance(first, torch.nn.Conv2d)
    assert isinstance(last, torch.nn.Conv2d)
    found = torch.cat((first.weight[0, 0, 1], last.weight[0, :3, 1, 1]))
    expected = torch.tensor([0.1404, 0.5609, 1.8664, -0.0534, 0.1585, 0.0685])
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)


def test_making_random_features_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    random_features.load(None, CPU)
    assert torch.equal(torch.rand(1), expected)


def test_random_features_keep_their_scale(random: VGGStack, shared: Path) -> None:
    x = picture(shared / "photos/daylight/capybara.jpg", (240, 160))[None]
    with torch.no_grad():
        found = random.features(x)
    assert 0.3 < found.mean() < 3.0
    assert (found.amax((2, 3)) > 0).float().mean() > 0.95  # hardly a channel is dead


def test_random_features_judge_like_vgg19(
    random: VGGStack, normalised: VGGStack, shared: Path
) -> None:
    """Different changes of a picture count in about the order in which VGG19 counts them."""
    correlations = []
    for name in SOME_PHOTOS:
        photo = picture(shared / "photos/daylight" / name, (120, 80))[None]
        grey = photo.mean(1, keepdim=True).expand_as(photo)
        flat = photo.mean((2, 3), keepdim=True).expand_as(photo)
        coarse = torch.nn.functional.interpolate(
            torch.nn.functional.avg_pool2d(photo, 4), scale_factor=4
        )
        changed = [
            *(photo * s for s in (0.1, 0.3, 0.6, 0.9)),
            *(grey.lerp(photo, s) for s in (0.0, 0.5, 0.9)),
            *(flat.lerp(photo, s) for s in (0.25, 0.6, 0.9)),
            *(photo.lerp(coarse, s) for s in (0.2, 0.5, 1.0)),
            *(photo + s * noise(*photo.shape) for s in (0.01, 0.05, 0.15)),
            *(photo.roll(s, 3) for s in (1, 4)),
            photo[:, [2, 1, 0]],
            1 - photo,
        ]
        distances = [
            [content_loss(network, photo, other) for other in changed]
            for network in (random, normalised)
        ]
        ranks = torch.tensor(distances).argsort(dim=1).argsort(dim=1).float()
        correlations.append(torch.corrcoef(ranks)[0, 1].item())
    assert sum(correlations) / len(correlations) > 0.75


@pytest.fixture(scope="module")
def torchvision_state() -> dict[str, Tensor]:
    """The five layers as torchvision names them, and two more of its layers."""
    extra = {"features.12.bias": (256,), "classifier.6.bias": (1000,)}
    return {
        name: noise(*shape, seed=i) / 16
        for i, (name, shape) in enumerate({**vgg19.CUT.shapes, **extra}.items())
    }


def test_the_whole_file_and_the_cut_one_give_the_same(
    torchvision_state: dict[str, Tensor], tmp_path: Path
) -> None:
    whole, cut = tmp_path / "whole.pth", tmp_path / "cut.safetensors"
    torch.save(torchvision_state, whole, _use_new_zipfile_serialization=False)  # as the real one
    save_file({name: torchvision_state[name] for name in vgg19.CUT.shapes}, cut)
    first, second = (vgg19.TORCHVISION.load(path, CPU) for path in (whole, cut))
    rgb = noise(1, 3, 16, 24)
    assert torch.equal(first.features(rgb), second.features(rgb))
    expected = vgg19.from_torchvision(torchvision_state).features(rgb)
    assert torch.equal(first.features(rgb), expected)
    assert first.name == "vgg19"
    assert first.content_scale == 1


def test_the_cut_is_torchvision_s_layers() -> None:
    with torch.device("meta"):
        state = torchvision_vgg19(weights=None).state_dict()
    for name, shape in vgg19.CUT.shapes.items():
        assert state[name].shape == shape
    name, values = vgg19.CUT.beginning
    assert len(values) == state[name][0].numel()
    small, whole = vgg19.TORCHVISION.files
    assert small.bytes == sum(4 * state[name].numel() for name in vgg19.CUT.shapes) < 4e6
    assert VGG19_Weights.IMAGENET1K_V1.url == whole.url
    assert whole.name.rpartition("-")[2].removesuffix(".pth") == whole.sha256[:8]


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
@pytest.mark.parametrize("fault", ["missing", "shape", "type", "no number", "no file of the kind"])
def test_torchvision_files_that_are_not_what_they_should_be(
    torchvision_state: dict[str, Tensor], tmp_path: Path, ending: str, fault: str
) -> None:
    state = {name: tensor.clone() for name, tensor in torchvision_state.items()}
    bias = state.pop("features.5.bias")
    if fault == "shape":
        state["features.5.bias"] = bias[:-1].clone()
    elif fault == "type":
        state["features.5.bias"] = bias.half()
    elif fault == "no number":
        state["features.5.bias"] = bias / 0
    path = tmp_path / f"weights{ending}"
    if fault == "no file of the kind":
        path.write_bytes(b"<html>" * 100)
    elif ending == ".pth":
        torch.save(state, path)
    else:
        save_file(state, path)
    with pytest.raises(NightFlashError, match="does not hold") as caught:
        vgg19.TORCHVISION.load(path, CPU)
    assert caught.value.code == "networks_corrupt"
