"""Flash and night: what falls on the scene."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from nightflash.imaging.colour import luminance, oklab
from nightflash.light import incidence, light_scene
from nightflash.light.bracket import FOCAL_LENGTH
from nightflash.light.enclosure import AT_THE_WALLS, THROWN_BACK
from nightflash.light.flash import BESIDE_STOPS, FlashLight, shoulder
from nightflash.light.incidence import DISTANCE, weighted_median
from nightflash.light.shading import facing_stops
from nightflash.scene.scene import Scene
from nightflash.settings import Settings
from torch import Tensor

H, W = 60, 90


def scene_of(depth: Tensor, subject: Tensor, photo: Tensor | None = None) -> Scene:
    rows, columns = (subject > 0.5).nonzero(as_tuple=True)
    x, y = int(columns.min()), int(rows.min())
    box = (
        x * 10.0,
        y * 10.0,
        (int(columns.max()) - x + 1) * 10.0,
        (int(rows.max()) - y + 1) * 10.0,
    )
    return Scene(
        photo=photo if photo is not None else torch.full((3, H, W), 0.2),
        inverse_depth=depth,
        subject=subject,
        box=box,
        size=(W * 10, H * 10),
        depth_from="test",
        subject_from="test",
    )


def middle() -> Tensor:
    subject = torch.zeros(H, W)
    subject[20:40, 35:55] = 1
    return subject


def gain(scene: Scene, settings: Settings) -> Tensor:
    """log2 of night / day luminance (h, w)."""
    light = light_scene(scene, settings)
    night = light.shine(scene.photo, light.maps)
    return torch.log2(luminance(night) / luminance(scene.photo))


BARE = Settings(beam=4.0, night=0.0, ambient=None, flatten=0.0)


def test_in_the_open_twice_the_distance_is_as_many_stops_less_as_depth_is_believed() -> None:
    depth = torch.full((H, W), 0.3)
    subject = middle()
    depth[subject > 0] = 0.6
    depth[:8] = 0.0
    light = gain(scene_of(depth, subject), BARE)
    just_outside = light[30, 15]  # far from the step, where surfaces face the camera again
    expected = 2.0 * DISTANCE + BESIDE_STOPS
    assert float(light[30, 45] - just_outside) == pytest.approx(expected, abs=0.25)


def test_of_metric_depth_the_distance_from_the_lens_counts() -> None:
    """Twice the depth is twice the distance, and what lies aside is a little farther still."""
    depth = torch.full((H, W), 0.3)
    subject = middle()
    depth[subject > 0] = 0.6
    depth[:8] = 0.0
    scene = replace(scene_of(depth, subject), metres=1.5)
    found = incidence(scene)
    assert float(found.distance[30, 45]) == pytest.approx(0, abs=0.03)
    focal = FOCAL_LENGTH * math.hypot(H, W)
    for row, column in ((30, 15), (55, 85)):
        away = math.hypot(row + 0.5 - H / 2, column + 0.5 - W / 2)
        stops = 2 + math.log2(1 + (away / focal) ** 2)
        assert float(found.distance[row, column]) == pytest.approx(-DISTANCE * stops, abs=0.03)
    relative = incidence(replace(scene, metres=None)).distance[30, 15]
    assert float(relative) == pytest.approx(-2 * DISTANCE, abs=0.01)


def test_where_nothing_shows_the_open_light_comes_back_from_all_sides() -> None:
    """What looks five times as far, in the corner of a narrow beam, is still lit by the walls."""
    depth = torch.full((H, W), 0.12)
    depth[middle() > 0] = 0.6
    narrow = Settings(beam=0.5, night=0.0, ambient=None, flatten=0.0)
    room = gain(scene_of(depth, middle()), narrow)
    depth[:8] = 0.0  # the sky
    outdoors = gain(scene_of(depth, middle()), narrow)
    lost_indoors, lost_outdoors = (float(g[30, 45] - g[55, 85]) for g in (room, outdoors))
    assert lost_indoors == pytest.approx(-math.log2(THROWN_BACK), abs=0.25)
    assert lost_outdoors > 6


def test_a_subject_of_metric_depth_may_be_far_behind_what_is_near() -> None:
    """At 30 m behind a railing at 1 m; what is twice as far as the subject is lit by that much."""
    depth = torch.full((H, W), 1 / 60.0)
    depth[middle() > 0] = 1 / 30.0
    depth[50:] = 1.0
    scene = replace(scene_of(depth, middle()), metres=1.0)
    assert float(incidence(scene).distance[25, 30]) == pytest.approx(-2 * DISTANCE, abs=0.05)


def test_with_metres_walls_throw_back_the_less_the_farther_they_are() -> None:
    """As the square of the distance of the subject against theirs; sky and leaves, nothing."""

    def back(walls: float, photo: Tensor | None = None) -> float:
        depth = torch.full((H, W), 1.0 / walls)
        depth[middle() > 0] = 0.5
        scene = replace(scene_of(depth, middle(), photo), metres=1.0)
        return incidence(scene).thrown_back

    assert back(2.0) == pytest.approx(AT_THE_WALLS)
    assert back(4.0) == pytest.approx(AT_THE_WALLS / 4)
    assert back(8.0) == pytest.approx(AT_THE_WALLS / 16)
    assert back(1e6) == pytest.approx(0, abs=1e-6)
    noise = torch.rand(H, W, generator=torch.Generator().manual_seed(1))
    leaves = torch.stack((0.1 * noise, 0.1 + 0.3 * noise, 0.1 * noise.flip(0)))
    assert back(4.0, leaves) == 0


def test_more_fall_off_is_never_more_light_behind_the_subject() -> None:
    depth = torch.linspace(0.05, 0.6, H)[:, None].expand(H, W).contiguous()
    depth[middle() > 0] = 0.6
    lost = [gain(scene_of(depth, middle()), replace(BARE, falloff=f)) for f in (0.0, 0.5, 1.0, 2.0)]
    behind = depth < 0.5
    for less, more in pairwise(lost):
        assert bool((more <= less + 1e-4)[behind].all())


def test_the_sky_falls_to_ambient_in_its_colour() -> None:
    depth = torch.full((H, W), 0.5)
    depth[:10] = 0
    settings = Settings(ambient=-7, ambient_temperature=3000)
    scene = scene_of(depth, middle())
    light = light_scene(scene, settings)
    night = light.shine(scene.photo, light.maps)
    sky, day = night[:, 2, 10], scene.photo[:, 2, 10]
    assert float(
        torch.log2(luminance(night)[2, 10] / luminance(scene.photo)[2, 10])
    ) == pytest.approx(-7, abs=0.1)
    assert sky[0] / day[0] > 1.5 * sky[2] / day[2]


@pytest.mark.parametrize("grey", [0.02, 0.05, 0.2, 0.5, 0.8])
def test_subject_is_exposed_near_its_daylight_value_dark_darker_than_bright(grey: float) -> None:
    photo = torch.full((3, H, W), grey)
    light = gain(scene_of(torch.full((H, W), 0.5), middle(), photo), Settings())
    assert abs(float(light[30, 45])) < 1


def test_exposure_keeps_the_order_of_dark_and_bright_subjects() -> None:
    def result(grey: float) -> float:
        scene = scene_of(torch.full((H, W), 0.5), middle(), torch.full((3, H, W), grey))
        return grey * 2 ** float(gain(scene, Settings())[30, 45])

    values = [result(g) for g in (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)]
    assert values == sorted(values)
    assert values[-1] > 8 * values[0]


def test_flash_ev_moves_the_exposure_by_stops() -> None:
    scene = scene_of(torch.full((H, W), 0.5), middle(), torch.full((3, H, W), 0.1))
    plain = gain(scene, Settings(ambient=None))
    down = gain(scene, Settings(ambient=None, flash_ev=-1))
    assert float((plain - down)[30, 45]) == pytest.approx(1.0, abs=0.02)


def test_neither_flash_nor_darkness_is_the_photo_itself() -> None:
    photo = torch.rand(3, H, W) * 3 - 0.5
    scene = scene_of(torch.rand(H, W), middle(), photo)
    light = light_scene(scene, Settings(ambient=0, flash=False))
    assert torch.equal(light.shine(photo, light.maps), photo)
    assert torch.equal(light.target, photo)


def test_without_flash_there_is_neither_exposure_nor_shoulder() -> None:
    photo = torch.full((3, H, W), 4.0)
    scene = scene_of(torch.full((H, W), 0.5), middle(), photo)
    light = light_scene(scene, Settings(ambient=-1, ambient_temperature=5400, flash=False))
    assert torch.allclose(light.shine(photo, light.maps), photo / 2, rtol=1e-5)


def test_no_light_at_all_is_black() -> None:
    scene = scene_of(torch.full((H, W), 0.5), middle())
    light = light_scene(scene, Settings(ambient=None, flash=False))
    assert float(light.shine(scene.photo, light.maps).abs().max()) == 0


def test_beam_is_aimed_at_the_subject_and_loses_towards_the_corners() -> None:
    subject = torch.zeros(H, W)
    subject[25:55, 5:30] = 1
    scene = scene_of(torch.full((H, W), 0.5), subject)
    light = gain(scene, Settings(night=0.0, ambient=None))
    assert light[40, 17] > light[40, 60] > light[3, 85]
    wide = gain(scene, Settings(night=0.0, ambient=None, beam=4.0))
    assert float(wide[3, 85]) > float(light[3, 85]) + 1


def test_soft_target_keeps_the_lit_subject_and_smooths_the_dark() -> None:
    generator = torch.Generator().manual_seed(1)
    photo = 0.2 + 0.05 * torch.rand(3, H, W, generator=generator)
    depth = torch.full((H, W), 0.02)
    depth[middle() > 0] = 0.6
    scene = scene_of(depth, middle(), photo)

    def roughness(light: FlashLight) -> Tensor:
        return torch.log2(light.target).diff(dim=2).abs().mean(0)

    hard = light_scene(scene, Settings(softness=0.0))
    soft = light_scene(scene, Settings(softness=1.0))
    assert isinstance(hard, FlashLight)
    assert isinstance(soft, FlashLight)
    dark, lit = (slice(0, 12), slice(0, 25)), (slice(25, 35), slice(40, 50))
    assert roughness(soft)[dark].mean() < 0.5 * roughness(hard)[dark].mean()
    assert roughness(soft)[lit].mean() == pytest.approx(
        float(roughness(hard)[lit].mean()), rel=0.02
    )


def test_purkinje_pales_and_blues_only_the_dark() -> None:
    photo = torch.tensor([0.4, 0.2, 0.1])[:, None, None].expand(3, H, W).contiguous()
    depth = torch.full((H, W), 0.01)
    depth[middle() > 0] = 0.6
    scene = scene_of(depth, middle(), photo)
    plain, human = (light_scene(scene, Settings(purkinje=p)) for p in (0.0, 1.0))
    night, look = plain.shine(photo, plain.maps), human.shine(photo, human.maps)
    assert torch.allclose(night[:, 30, 45], look[:, 30, 45], atol=1e-4)
    assert look[2, 2, 2] > look[0, 2, 2]
    assert night[2, 2, 2] < night[0, 2, 2]


def test_shoulder_keeps_hue_and_order_and_never_reaches_beyond_white() -> None:
    ramp = torch.linspace(0, 8, 400)
    colour = torch.stack((ramp, 0.6 * ramp, 0.3 * ramp))[:, None]
    rolled = shoulder(colour)
    assert float(rolled.max()) <= 1
    assert float(rolled[0, 0].diff().min()) > -1e-6
    below = ramp < 0.7
    assert torch.equal(rolled[:, 0, below], colour[:, 0, below])
    before, after = oklab(colour[:, :, 1:]), oklab(rolled[:, :, 1:])
    turn = torch.atan2(before[2], before[1]) - torch.atan2(after[2], after[1])
    assert math.degrees(float(turn.abs().max())) < 0.1


def test_weighted_median() -> None:
    values = torch.tensor([3.0, 1.0, 2.0, 10.0])
    assert weighted_median(values, torch.ones(4)) == 2
    assert weighted_median(values, torch.tensor([0.0, 0, 0, 1])) == 10


def test_a_plane_faces_the_flash_by_lamberts_cosine() -> None:
    """A floor seen at 45 degrees: its inverse depth is linear in the picture."""
    h, w = 200, 300
    focal = 0.8 * math.hypot(h, w)
    y = (torch.arange(h) + 0.5 - h / 2)[:, None].expand(h, w) / focal
    x = (torch.arange(w) + 0.5 - w / 2)[None, :].expand(h, w) / focal
    normal = torch.tensor([0.0, 0.8, 0.6])
    m = normal[1] * y + normal[2]
    ray = torch.sqrt(x * x + y * y + 1)
    expected = torch.log2(m / ray)
    found = facing_stops(m * 0.7)
    inner = (slice(20, -20), slice(20, -20))
    assert float((found - expected)[inner].abs().max()) < 0.1
