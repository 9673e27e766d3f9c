"""The outline corrected in the dialog in a real GIMP 3: by clicks, by a brush, and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tests.gimp.filter import LEFT, RIGHT, SIZE, TITLE, Filter, distances, in_gimp, layers, state
from tests.gimp.window import Screen

SKY = (240, 60)  # where there is no object
NEAR = 95  # pixels of the photo from an object's middle, within which its outline lies


def outlined(dialog: Filter, *places: tuple[int, int]) -> bool:
    """Whether there is an outline about each of these of the three places, and no other."""
    picture = dialog.preview("outline", 2)
    found = {place: has(picture, place) for place in (LEFT, RIGHT, SKY)}
    return {place for place, there in found.items() if there} == set(places)


def has(picture: npt.NDArray[np.int16], place: tuple[int, int]) -> bool:
    away = distances(picture, place)
    return bool((away < (45 if place == SKY else NEAR)).sum() > 40)


def ringed(dialog: Filter, place: tuple[int, int]) -> bool:
    """Whether the brush is seen about a point of the photo that is dark otherwise."""
    left, top, width, _height = dialog.widget("icon").place
    x, y = (start + at * width // SIZE[0] for start, at in zip((left, top), place, strict=True))
    return bool((dialog.shown.shot("brush")[y - 40 : y + 40, x - 40 : x + 40] > 200).any())


def at(dialog: Filter, place: tuple[int, int]) -> list[str]:
    """A point of the photo on the screen, as words of xdotool."""
    x, y, width, height = dialog.widget("icon").place
    return [str(x + place[0] * width // SIZE[0]), str(y + place[1] * height // SIZE[1])]


def click(dialog: Filter, place: tuple[int, int], key: str) -> None:
    """Click at a point of the photo while a key is held."""
    words = ["mousemove", *at(dialog, place), "keydown", key, "click", "1", "keyup", key]
    dialog.shown.run("xdotool", *words)


def paint(dialog: Filter, start: tuple[int, int], end: tuple[int, int], key: str = "") -> None:
    """Drag the brush over the photo, maybe with a key held."""
    words = ["mousemove", *at(dialog, start), *(["keydown", key] if key else []), "mousedown", "1"]
    for step in range(1, 6):
        x, y = (a + (b - a) * step // 5 for a, b in zip(start, end, strict=True))
        words += ["mousemove", *at(dialog, (x, y))]
    dialog.shown.run("xdotool", *words, "mouseup", "1", *(["keyup", key] if key else []))


def open_plain(dialog: Filter) -> None:
    """Open the dialog with a night in which outlines are seen, whatever was set before."""
    dialog.open()
    if dialog.preset() != "Flash at night":
        dialog.choose(dialog.preset(), "Flash at night")


def expect(dialog: Filter, what: str, *places: tuple[int, int]) -> None:
    dialog.shown.until(lambda: outlined(dialog, *places), what, 30)


def test_objects_are_added_and_removed_and_all_of_it_undone(shown: Screen, dialog: Filter) -> None:
    in_gimp(shown, "Gimp.Selection.none(image)\nTrue")
    open_plain(dialog)
    dialog.click_photo(LEFT)
    expect(dialog, "outline about the left object", LEFT)
    click(dialog, RIGHT, "shift")
    expect(dialog, "outline about both", LEFT, RIGHT)
    shown.shot("outline-both")
    dialog.widget("label", "Lit: the object you chose, as you corrected it")
    click(dialog, LEFT, "ctrl")
    expect(dialog, "outline about the right object", RIGHT)
    shown.key("ctrl+z")
    expect(dialog, "outline about both again", LEFT, RIGHT)
    shown.key("ctrl+shift+z")
    expect(dialog, "outline about the right object again", RIGHT)
    shown.key("ctrl+z", "ctrl+z")
    expect(dialog, "outline about the left object again", LEFT)
    click(dialog, LEFT, "ctrl")
    shown.until(lambda: dialog.widget("label", "The corrections leave nothing"), "sentence")
    shown.key("ctrl+z")
    expect(dialog, "outline about the left object after all", LEFT)
    dialog.press("Aim for me")
    shown.until(lambda: not dialog.widget("button", "Aim for me").sensitive, "no aim")
    dialog.close()


def test_a_brush_adds_and_removes(shown: Screen, dialog: Filter) -> None:
    open_plain(dialog)
    dialog.click_photo(LEFT)
    expect(dialog, "outline about the left object", LEFT)
    dialog.press("Brush", "toggle button")
    shown.run("xdotool", "mousemove", *at(dialog, SKY))
    shown.until(lambda: ringed(dialog, SKY), "the brush at the pointer")
    small = shown.shot("brush-small")
    shown.key("bracketright", "bracketright", "bracketright")
    shown.until(lambda: np.any(shown.shot("brush-large") != small), "larger brush")
    shown.run("xdotool", "mousemove", "5", "5")
    shown.until(lambda: not ringed(dialog, SKY), "no brush where the pointer is not")
    paint(dialog, (SKY[0] - 15, SKY[1]), (SKY[0] + 15, SKY[1]))
    expect(dialog, "outline about what was painted", LEFT, SKY)
    shown.shot("brush-painted")
    paint(dialog, (SKY[0] - 30, SKY[1]), (SKY[0] + 30, SKY[1]), "ctrl")
    expect(dialog, "outline without what was painted over", LEFT)
    shown.key("ctrl+z")
    expect(dialog, "outline about what was painted again", LEFT, SKY)
    shown.key("p")  # puts the brush away
    dialog.click_photo(RIGHT)
    expect(dialog, "outline of what is aimed at anew", RIGHT)
    dialog.close()


def test_what_is_lit_becomes_a_channel(shown: Screen, dialog: Filter) -> None:
    open_plain(dialog)
    dialog.click_photo(LEFT)
    expect(dialog, "outline about the left object", LEFT)
    dialog.press("To channel")
    found = shown.until(lambda: in_gimp(shown, CHANNEL), "channel")
    dialog.close()
    assert found[:2] == list(SIZE)
    assert found[2] > 250, "the object is not selected by it"
    assert found[3] < 5, "what is no object is selected by it"
    assert found[4] == 1, "the photo is no longer what is worked on"
    assert found[5] is False, "it lies over the photo"
    shown.front("GIMP$")
    shown.key(*["ctrl+z"] * 3)  # the first two are of the look at it
    shown.until(lambda: in_gimp(shown, "not image.get_channels()"), "undone channel")


def test_the_next_call_goes_on_with_what_was_lit(shown: Screen, dialog: Filter) -> None:
    """In the dialog after Cancel, and without one where the filter is repeated."""
    open_plain(dialog)
    dialog.click_photo(LEFT)
    expect(dialog, "outline about the left object", LEFT)
    click(dialog, RIGHT, "shift")
    expect(dialog, "outline about both", LEFT, RIGHT)
    dialog.close()
    dialog.open()
    expect(dialog, "outline about both again", LEFT, RIGHT)
    dialog.press("OK")
    dialog.gone()
    shown.until(lambda: len(layers(shown)) == 2, "night")
    shown.front("GIMP$")
    shown.key("ctrl+f")
    shown.until(lambda: len(layers(shown)) == 3, "second night")
    first, second, _photo = state(shown)["layers"]
    assert first["pixels"] == second["pixels"]
    in_gimp(shown, "[image.remove_layer(layer) for layer in image.get_layers()[:2]]\nTrue")
    dialog.open()
    expect(dialog, "outline about both after all", LEFT, RIGHT)
    dialog.press("Aim for me")
    shown.until(lambda: not dialog.widget("button", "Aim for me").sensitive, "no aim")
    dialog.close()
    dialog.open()
    assert not dialog.widget("button", "Aim for me").sensitive
    dialog.close()


def test_what_is_selected_meanwhile_aims(shown: Screen, dialog: Filter) -> None:
    open_plain(dialog)
    x, y = RIGHT
    ellipse = f"image.select_ellipse(Gimp.ChannelOps.REPLACE, {x - 60}, {y - 80}, 120, 160)"
    in_gimp(shown, f"{ellipse}\nTrue")
    shown.front("GIMP$")
    shown.front(f"^{TITLE}")
    expect(dialog, "outline about what is selected", RIGHT)
    dialog.widget("label", "Lit: what is selected")
    dialog.click_photo(LEFT)
    expect(dialog, "outline about the left object", LEFT)
    in_gimp(shown, "Gimp.Selection.none(image)\nTrue")
    shown.front("GIMP$")
    shown.front(f"^{TITLE}")
    dialog.press("Aim for me")
    shown.until(lambda: not dialog.widget("button", "Aim for me").sensitive, "no aim")
    dialog.close()


def test_a_night_keeps_its_corrections(shown: Screen, dialog: Filter) -> None:
    """Called on the night, the filter goes on from the outline that it was made with."""
    in_gimp(shown, "Gimp.Selection.none(image)\nTrue")
    open_plain(dialog)
    dialog.click_photo(LEFT)
    expect(dialog, "outline about the left object", LEFT)
    click(dialog, RIGHT, "shift")
    dialog.press("Brush", "toggle button")
    paint(dialog, (SKY[0] - 30, SKY[1]), (SKY[0] + 30, SKY[1]))
    expect(dialog, "outline about all three", LEFT, RIGHT, SKY)
    dialog.press("OK")
    dialog.gone()
    shown.until(lambda: len(layers(shown)) == 2, "new layer")
    dialog.open()
    expect(dialog, "the same outline", LEFT, RIGHT, SKY)
    shown.shot("outline-again")
    click(dialog, RIGHT, "ctrl")
    expect(dialog, "outline without one of them", LEFT, SKY)
    shown.key("ctrl+z")
    expect(dialog, "the same outline again", LEFT, RIGHT, SKY)
    dialog.close()
    in_gimp(shown, "image.remove_layer(image.get_layers()[0])\nTrue")


CHANNEL = f"""\
channels = image.get_channels()
found = None
if channels:
    chosen = len(image.get_selected_layers())
    image.select_item(2, channels[0])
    read = lambda x, y: image.get_selection().get_buffer().get(
        Gegl.Rectangle.new(x, y, 1, 1), 1.0, 'Y u8', Gegl.AbyssPolicy.NONE)[0]
    size = channels[0].get_width(), channels[0].get_height()
    found = [*size, read{LEFT}, read{RIGHT}, chosen, channels[0].get_visible()]
    Gimp.Selection.none(image)
found"""
