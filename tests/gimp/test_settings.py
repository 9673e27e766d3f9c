"""The settings in the dialog of a real GIMP 3: own presets, resets, and nights edited again."""

from __future__ import annotations

import json
import time

from tests.gimp.filter import LEFT, RIGHT, TITLE, Filter, distance, hits, in_gimp, layers, state
from tests.gimp.plugin import Profile
from tests.gimp.window import Screen

BRIGHTNESS = "Night brightness"


def brightness(dialog: Filter) -> float:
    return dialog.widget("spin button", BRIGHTNESS).value or 0.0


def test_one_value_is_reset(shown: Screen, dialog: Filter) -> None:
    dialog.open()
    dialog.choose(dialog.preset(), "Moonlit")
    shown.until(lambda: brightness(dialog) == -5, "the preset")
    reset = f"Reset {BRIGHTNESS}"
    assert not dialog.widget("button", reset).sensitive
    dialog.drag(BRIGHTNESS, 0.9)
    dialog.drag("Beam width", 0.9)
    beam = dialog.widget("spin button", "Beam width").value or 0.0
    assert 2.5 < beam < 3.6, "the slider counts by ratios"
    assert dialog.widget("slider", f"Beam width: {round(beam, 2):g}"), (
        "what a screen reader says of it"
    )
    shown.until(lambda: dialog.widget("button", reset).sensitive, "a value to reset")
    assert dialog.preset() == "Moonlit, changed"
    dialog.press(reset)
    shown.until(lambda: brightness(dialog) == -5, "the preset's value")
    assert dialog.widget("spin button", "Beam width").value == beam
    shown.shot("reset")
    shown.key("Up")  # the number has the focus that the button had
    shown.until(lambda: brightness(dialog) > -5, "the next value")
    dialog.choose(dialog.preset(), "Flash at night")
    dialog.close()


def own_menu(dialog: Filter, entry: str) -> None:
    dialog.press("Own presets", "toggle button")
    at = None
    while at != (now := dialog.shown.widget("", "menu item", entry)):
        at = now
    dialog.shown.press(at)


def test_presets_of_ones_own(shown: Screen, dialog: Filter, profile: Profile) -> None:
    file = profile.gimp / "home" / ".config" / "nightflash" / "presets.json"
    dialog.open()
    dialog.choose(dialog.preset(), "Flash at night")
    dialog.drag(BRIGHTNESS, 0.8)
    kept = brightness(dialog)
    own_menu(dialog, "Save")
    shown.until(lambda: shown.windows("^Save preset$"), "a question for the name")
    shown.type("My cellar")
    shown.shot("save-preset")
    shown.key("Return")
    shown.until(lambda: dialog.preset() == "My cellar", "the new preset")
    assert json.loads(file.read_text("utf-8"))["presets"]["My cellar"]["ambient"] == kept
    dialog.choose("My cellar", "Street")
    shown.until(lambda: brightness(dialog) == -5.5, "another preset")
    dialog.close()

    dialog.open()  # it is there again
    dialog.choose(dialog.preset(), "My cellar")
    shown.until(lambda: abs(brightness(dialog) - kept) < 0.01, "the settings that were kept")
    own_menu(dialog, "Rename")
    shown.until(lambda: shown.windows("^Rename preset$"), "a question for the name")
    shown.key("ctrl+a")
    shown.type("Crypt")
    shown.key("Return")
    shown.until(lambda: dialog.preset() == "Crypt", "the new name")
    own_menu(dialog, "Save")
    shown.until(lambda: shown.windows("^Save preset$"), "a question for the name")
    shown.key("ctrl+a")
    shown.type("moonlit")
    shown.key("Return")
    said = shown.until(
        lambda: [w for w in shown.widgets() if "NightFlash brings" in (w.text or w.name)], "refusal"
    )
    assert said
    shown.key("Escape")
    own_menu(dialog, "Delete")
    shown.widget("", "label", "Delete the preset Crypt")
    shown.key("Return")
    shown.until(lambda: dialog.preset() != "Crypt", "end of the preset")
    assert json.loads(file.read_text("utf-8"))["presets"] == {}
    dialog.choose(dialog.preset(), "Flash at night")
    dialog.close()


def test_saved_settings_and_a_reset_leave_the_aim(shown: Screen, dialog: Filter) -> None:
    """GIMP's own buttons keep every argument, and one is a point of the photo of then."""
    in_gimp(shown, "Gimp.Selection.none(image)\nTrue")
    dialog.open()
    dialog.choose(dialog.preset(), "Flash at night")
    dialog.drag(BRIGHTNESS, 0.8)
    kept = brightness(dialog)
    dialog.click_photo(RIGHT)
    shown.until(lambda: dialog.widget("label", "Lit: the object"), "aim")
    dialog.press("Save Settings")
    shown.until(lambda: dialog.widget("button", "Load Saved").sensitive, "saved settings")
    dialog.press("Cancel")
    dialog.gone()

    dialog.open()
    dialog.click_photo(LEFT)
    shown.until(lambda: hits(dialog, LEFT), "another aim")
    dialog.choose(dialog.preset(), "Moonlit")
    dialog.press("Load Saved")
    shown.until(lambda: abs(brightness(dialog) - kept) < 0.01, "the settings that were kept")
    shown.until(lambda: hits(dialog, LEFT), "the aim of now")
    dialog.press("Reset")
    item = shown.until(
        lambda: [w for w in shown.widgets() if "Factory" in w.name],
        "what to reset to",
    )
    shown.press(item[0])
    shown.until(lambda: abs(brightness(dialog) - kept) > 0.01, "other settings")
    time.sleep(1)
    assert hits(dialog, LEFT)
    dialog.close()


def test_every_change_is_taken_back_and_made_again(shown: Screen, dialog: Filter) -> None:
    """A slider, a preset, an aim and a typed number, in the order in which they were done."""
    dialog.open()
    if dialog.preset() != "Flash at night":
        dialog.choose(dialog.preset(), "Flash at night")
        time.sleep(1)  # what follows at once would be the same step
    dialog.click_photo(LEFT)
    shown.until(lambda: hits(dialog, LEFT), "an aim")
    stages = [dialog.values()]
    dialog.drag(BRIGHTNESS, 0.9)
    time.sleep(1)
    stages.append(dialog.values())
    dialog.choose(dialog.preset(), "Moonlit")
    time.sleep(1)
    stages.append(dialog.values())
    dialog.click_photo(RIGHT)
    shown.until(lambda: hits(dialog, RIGHT), "another aim")
    shown.press(dialog.widget("spin button", BRIGHTNESS))
    shown.key("ctrl+a")
    shown.type("1")
    shown.key("Return")
    shown.until(lambda: brightness(dialog) == 1, "what was typed")
    assert len({tuple(stage.items()) for stage in stages}) == 3
    shown.key("ctrl+z")  # the number has the focus
    shown.until(lambda: dialog.values() == stages[2], "the preset")
    assert hits(dialog, RIGHT)
    shown.key("ctrl+z")
    shown.until(lambda: hits(dialog, LEFT), "the aim before")
    assert dialog.values() == stages[2]
    shown.key("ctrl+z")
    shown.until(lambda: dialog.values() == stages[1], "what was dragged")
    shown.key("ctrl+z")
    shown.until(lambda: dialog.values() == stages[0], "the beginning")
    shown.key("ctrl+y", "ctrl+y")
    shown.until(lambda: dialog.values() == stages[2], "the preset again")
    shown.key("ctrl+shift+z")
    shown.until(lambda: hits(dialog, RIGHT), "the aim again")
    shown.key("ctrl+shift+z")
    shown.until(lambda: brightness(dialog) == 1, "the number again")
    dialog.close()


def test_a_night_is_edited_again(shown: Screen, dialog: Filter) -> None:
    """The dialog opens with its settings and aim; one undo brings back what was there."""
    in_gimp(shown, "Gimp.Selection.none(image)\nTrue")
    before = state(shown)
    dialog.open()
    dialog.choose(dialog.preset(), "Flash at night")
    dialog.fast()
    dialog.drag(BRIGHTNESS, 0.8)
    kept = brightness(dialog)
    dialog.click_photo(RIGHT)
    shown.until(lambda: dialog.widget("label", "Lit: the object"), "aim")
    dialog.press("OK")
    dialog.gone()
    shown.until(lambda: len(layers(shown)) == 2, "new layer")
    in_gimp(shown, "image.get_layers()[0].set_opacity(70)\nTrue")
    first = state(shown)

    in_gimp(shown, "image.set_selected_layers(image.get_layers()[1:])\nTrue")
    dialog.open()  # on the photo: other settings, used last
    dialog.choose(dialog.preset(), "Street")
    dialog.press("OK")
    dialog.gone()
    shown.until(lambda: len(layers(shown)) == 3, "second layer")
    assert layers(shown) == ["Night with flash #2", "Night with flash", "photo.png"]
    in_gimp(shown, "image.set_selected_layers(image.get_layers()[1:2])\nTrue")
    both = state(shown)

    dialog.open()
    assert abs(brightness(dialog) - kept) < 0.01
    assert distance(dialog.preview("again", 2), RIGHT) < 110
    output = next(w for w in shown.widgets(TITLE) if w.name == "One layer")
    assert not output.sensitive
    dialog.drag(BRIGHTNESS, 0.3)
    dialog.press("OK")
    dialog.gone()

    def edited() -> bool:
        ids = in_gimp(shown, "[layer.get_id() for layer in image.get_layers()]")
        return len(ids) == 3 and ids[1] != both["layers"][1]["id"]

    shown.until(edited, "edited night")
    time.sleep(0.5)
    after = state(shown)
    shown.shot("edited")
    assert after["layers"][1]["pixels"] != both["layers"][1]["pixels"]
    assert layers(shown) == ["Night with flash #2", "Night with flash", "photo.png"]
    assert after["layers"][1]["looks"] == first["layers"][0]["looks"]
    assert [after["layers"][n] for n in (0, 2)] == [both["layers"][n] for n in (0, 2)]
    shown.front("GIMP$")
    shown.key("ctrl+z")
    shown.until(lambda: not edited(), "undone edit")
    assert state(shown) == both
    shown.key("ctrl+y")
    shown.until(edited, "edit done again")
    assert state(shown)["layers"][1]["pixels"] == after["layers"][1]["pixels"]
    in_gimp(shown, "[image.remove_layer(layer) for layer in image.get_layers()[:2]]\nTrue")
    in_gimp(shown, "image.set_selected_layers(image.get_layers())\nTrue")
    assert {**state(shown), "selected": None} == {**before, "selected": None}


def test_a_changed_photo_is_told_in_the_dialog(shown: Screen, dialog: Filter) -> None:
    in_gimp(shown, "photo = add_photo(image)\nnight(image, photo, **PLAIN) and True")
    try:
        in_gimp(shown, "image.get_layers()[1].invert(False)\nTrue")
        dialog.open()
        said = dialog.widget("label", "The photo has changed")
        assert said.place[2] > 100
        shown.shot("changed-photo")
        dialog.close()
    finally:
        in_gimp(shown, "[image.remove_layer(layer) for layer in image.get_layers()[:2]]\nTrue")
