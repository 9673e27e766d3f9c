"""The main object corrected: objects added and removed by clicks, and painted strokes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from nightflash import Aim, NightFlashError
from nightflash.aim import Click, check_aim, working_aim
from nightflash.models.descriptor import MainObject
from nightflash.scene import Survey, aim_at
from nightflash.scene.correction import painted
from torch import Tensor

from tests.scene.test_segment import overlap

SIZE = (160, 240)
LEFT, RIGHT = (60.0, 80.0), (180.0, 80.0)


def disc(centre: tuple[float, float], radius: float = 32) -> Tensor:
    rows, columns = torch.arange(SIZE[0])[:, None] + 0.5, torch.arange(SIZE[1])[None] + 0.5
    return ((columns - centre[0]) ** 2 + (rows - centre[1]) ** 2 < radius**2).float()


def seen() -> Survey:
    """Two reddish discs before a green ground."""
    rows, columns = torch.arange(SIZE[0])[:, None], torch.arange(SIZE[1])[None]
    pattern = 0.06 * ((rows // 5 + columns // 7) % 2)
    ground = torch.stack([0.2 + pattern, 0.5 - pattern, 0.2 + pattern])
    thing = torch.stack([0.7 - pattern, 0.3 + pattern, 0.25 + pattern])
    both = disc(LEFT) + disc(RIGHT)
    picture = torch.lerp(ground, thing, both)
    return Survey(picture**2.2, picture, 0.3 + 0.5 * both, None, "test", guessed=False)


def found(aim: Aim) -> Tensor:
    return aim_at(seen(), None, aim, (SIZE[1], SIZE[0])).subject


def brush(centre: tuple[float, float], radius: float, value: float) -> npt.NDArray[np.float32]:
    stroke: npt.NDArray[np.float32] = value * disc(centre, radius).numpy()
    return stroke


def test_clicks_add_and_remove_objects() -> None:
    one, both = disc(LEFT), disc(LEFT) + disc(RIGHT)
    assert overlap(found(Aim(point=LEFT)), one) > 0.9
    added = Aim(point=LEFT, clicks=(Click(*RIGHT),))
    assert overlap(found(added), both) > 0.9
    gone = Aim(point=LEFT, clicks=(Click(*RIGHT), Click(*LEFT, adds=False)))
    assert overlap(found(gone), disc(RIGHT)) > 0.9
    again = Aim(mask=one.numpy(), clicks=(Click(*LEFT, adds=False), Click(*LEFT)))
    assert overlap(found(again), one) > 0.9


def test_a_removal_of_a_part_leaves_the_rest() -> None:
    """Where the aim has taken two objects for one, a click at one of them removes that one."""
    both = (disc(LEFT) + disc(RIGHT)).numpy()
    assert overlap(found(Aim(mask=both, clicks=(Click(*LEFT, adds=False),))), disc(RIGHT)) > 0.9


@pytest.mark.parametrize("radius", [30, 32, 33.5])
def test_no_rim_is_left_of_what_is_removed(radius: float) -> None:
    """Neither where the mask is wider than the object, nor where it is the only one."""
    both = (disc(LEFT, radius) + disc(RIGHT)).numpy()
    left = found(Aim(mask=both, clicks=(Click(*LEFT, adds=False),)))
    assert (left * disc(LEFT, 50)).max() < 0.5
    with pytest.raises(NightFlashError, match="leave nothing"):
        found(Aim(mask=disc(LEFT, radius).numpy(), clicks=(Click(*LEFT, adds=False),)))


def test_nothing_left_is_told() -> None:
    strokes = brush(LEFT, 60, -1.0)
    with pytest.raises(NightFlashError, match="leave nothing") as raised:
        found(Aim(mask=disc(LEFT).numpy(), strokes=strokes))
    assert raised.value.code == "bad_aim"


@pytest.mark.parametrize("radius", [28.0, 35.0])
def test_a_stroke_that_ends_near_an_edge_ends_on_it(radius: float) -> None:
    """Painted a little short of the object or over it, its own outline is taken."""
    drawn = disc(RIGHT, radius)
    corrected = found(Aim(point=LEFT, strokes=brush(RIGHT, radius, 1.0)))
    right = corrected * disc(RIGHT, 50)
    assert overlap(right, disc(RIGHT)) > 0.96 > overlap(drawn, disc(RIGHT))


def test_strokes_change_nothing_elsewhere() -> None:
    before = found(Aim(point=LEFT))
    after = found(Aim(point=LEFT, strokes=brush((180, 80), 20, 1.0)))
    away = disc(LEFT, 60) > 0
    assert torch.equal(before[away], after[away])
    assert torch.equal(before, found(Aim(point=LEFT, strokes=np.zeros(SIZE, np.float32))))


def test_the_middle_of_a_stroke_is_believed_whatever_the_photo_shows() -> None:
    strokes = brush((120, 30), 8, 1.0) + brush(LEFT, 8, -1.0)
    corrected = found(Aim(point=LEFT, strokes=strokes))
    assert corrected[30, 120] > 0.5
    assert corrected[80, 60] < 0.5
    assert corrected[80, 85] > 0.5, "the object beside the stroke has gone"


@pytest.mark.parametrize("width", [1, 2, 40])
def test_strokes_of_any_width_count(width: int) -> None:
    view = seen()
    strokes = np.zeros(SIZE, np.float32)
    strokes[60:100, 150 : 150 + width] = 1
    mask = painted(torch.zeros(SIZE), strokes, view.encoded, view.inverse_depth)
    assert mask[80, 150 + width // 2] > 0.5


def test_corrections_come_to_the_working_size() -> None:
    strokes = np.zeros((80, 120), np.float32)
    strokes[:40] = 1
    aim = Aim(point=(10, 20), clicks=(Click(400, 200, adds=False),), strokes=strokes)
    small = working_aim(aim, (480, 320), (240, 160))
    assert small.point == (5, 10)
    assert small.clicks == (Click(200, 100, adds=False),)
    assert small.strokes is not None
    assert small.strokes.shape == (160, 240)
    assert small.strokes[:70].min() == 1


@pytest.mark.parametrize(
    "aim",
    [
        Aim(clicks=(Click(-1, 3),)),
        Aim(clicks=(Click(3, 3), Click(float("nan"), 3, adds=False))),
        Aim(strokes=np.full((4, 4), np.inf, np.float32)),
        Aim(strokes=np.zeros((4, 4, 2), np.float32)),
    ],
)
def test_corrections_that_do_not_fit_are_refused(aim: Aim) -> None:
    with pytest.raises(NightFlashError) as raised:
        check_aim(aim, (100, 100))
    assert raised.value.code == "bad_aim"


class Counted:
    """Sees one whole object in whatever it is shown, and counts how often it looks."""

    def __init__(self) -> None:
        self.looks = 0

    def main_object(self, rgb: Tensor) -> MainObject:
        self.looks += 1
        return MainObject((rgb[0] > rgb[1]).float(), True)


def test_a_stroke_or_another_click_finds_nothing_anew() -> None:
    photo, network = seen(), Counted()

    def lit(aim: Aim, main: MainObject | None = None) -> Tensor:
        return aim_at(photo, main, aim, (SIZE[1], SIZE[0]), False, network).subject

    aimed = lit(Aim(point=LEFT))
    looks = network.looks
    assert looks > 0
    strokes = brush((120, 20), 12, 1.0)
    assert float(lit(Aim(point=LEFT, strokes=strokes)).sum()) > float(aimed.sum())
    assert network.looks == looks
    lit(Aim(point=LEFT, clicks=(Click(*RIGHT),)))
    assert network.looks == 2 * looks  # at the new place alone
    lit(Aim(point=LEFT, clicks=(Click(*RIGHT),), strokes=strokes))
    assert network.looks == 2 * looks
    lit(Aim(point=LEFT), MainObject(torch.zeros(SIZE), False))  # a network that saw better has come
    assert network.looks == 3 * looks
