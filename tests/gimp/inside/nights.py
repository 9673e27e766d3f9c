"""Several nights of one photo, nights of nights, and layers with filters that stay filters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cases
from gi.repository import Gimp, Gio
from scene import (
    PLAIN,
    add_photo,
    adds_night,
    make_image,
    newest_night,
    night,
    raw,
    refuses,
    state,
    without,
)


def on_top(image: Any, *layers: Any) -> None:
    """These lie upon each other, the first one on top."""
    places = [(layer.get_parent(), image.get_item_position(layer)) for layer in layers]
    ids = {parent.get_id() if parent else 0 for parent, _ in places}
    assert len(ids) == 1, "in several groups"
    positions = [position for _, position in places]
    assert positions == list(range(positions[0], positions[0] + len(layers))), positions


def case_again_and_again() -> None:
    """The newest is on top; straight after OK the night is selected, and its photo is taken."""
    image = make_image()
    photo = add_photo(image)
    add_photo(image, name="above")
    first = adds_night(image, photo, **PLAIN)
    second = adds_night(image, photo, **PLAIN)
    third = adds_night(image, *image.get_selected_layers(), **PLAIN)
    on_top(image, third, second, first, photo)
    assert raw(first) == raw(second) == raw(third)


def case_of_a_night_in_parts() -> None:
    image = make_image()
    outer = Gimp.GroupLayer.new(image, "outer")
    image.insert_layer(outer, None, 0)
    photo = add_photo(image, parent=outer, offsets=(3, 4))
    group = adds_night(image, photo, **PLAIN, output="parts")
    of_group = night(image, group, **PLAIN)
    of_part = night(image, group.get_children()[0], **PLAIN)
    on_top(image, of_part, of_group, group, photo)
    assert raw(of_group) == raw(of_part)


def case_of_two_photos() -> None:
    image = make_image()
    below = add_photo(image, name="below")
    above = add_photo(image, name="above", offsets=(7, 0))
    one = night(image, below, **PLAIN)
    other = night(image, above, **PLAIN)
    again = night(image, one, **PLAIN)
    on_top(image, other, above, again, one, below)
    assert again.get_offsets() == below.get_offsets()


def case_moved_night() -> None:
    """Wherever the newest night was moved to, the next one lies upon it, at the photo's place."""
    image = make_image()
    photo = add_photo(image, offsets=(9, 2))
    group = Gimp.GroupLayer.new(image, "album")
    image.insert_layer(group, None, 0)
    first = night(image, photo, **PLAIN)
    image.reorder_item(first, group, 0)
    first.set_offsets(50, 50)
    second = night(image, photo, **PLAIN)
    on_top(image, second, first)
    assert second.get_offsets() == photo.get_offsets()


def case_undone_and_copied() -> None:
    image = make_image()
    photo = add_photo(image)
    first = adds_night(image, photo, **PLAIN)
    copy = first.copy()
    image.insert_layer(copy, None, 0)
    image.remove_layer(first)
    second = night(image, copy, **PLAIN)
    on_top(image, second, copy, photo)
    assert raw(second) == raw(copy)


def case_saved_and_opened_again() -> None:
    image = make_image()
    adds_night(image, add_photo(image), **PLAIN)
    file = Gio.File.new_for_path(f"{Gimp.directory()}/nights.xcf")
    assert Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, file, None)
    opened = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file)
    first = newest_night(opened)
    second = adds_night(opened, first, **PLAIN)
    assert raw(second) == raw(first)


def case_of_a_night_without_its_photo() -> None:
    image = make_image()
    photo = add_photo(image)
    add_photo(image, name="another", alpha=True)
    first = night(image, photo, **PLAIN)
    image.remove_layer(photo)
    assert "photo" in refuses(image, first, **PLAIN)


def case_script_of_the_readme() -> None:
    readme = Path(cases.__file__).resolve().parents[3] / "README.md"
    _, _, after = readme.read_text(encoding="utf-8").partition("```python gimp\n")
    code, fence, _ = after.partition("```")
    assert fence
    image = make_image()
    photo = add_photo(image)
    wanted = night(image, photo, quality="fast", ambient=-6.0)
    image.set_selected_layers([photo])
    names = {"Gimp": GimpOf(image)}
    exec(code, names)
    assert names["values"].index(0) == Gimp.PDBStatusType.SUCCESS
    on_top(image, names["layer"], wanted, photo)
    assert raw(names["layer"]) == raw(wanted)


class GimpOf:
    """GIMP as it is where one image is open."""

    def __init__(self, image: Any) -> None:
        self._image = image

    def get_images(self) -> list[Any]:
        return [self._image]

    def __getattr__(self, name: str) -> Any:
        return getattr(Gimp, name)


def case_the_blurb_tells_how_a_script_calls_it() -> None:
    procedure = Gimp.get_pdb().lookup_procedure("plug-in-nightflash")
    blurb = procedure.get_help()
    for word in ("NONINTERACTIVE", "drawables", "point-x", "quality"):
        assert word in blurb, blurb


def add_filter(layer: Any, operation: str, visible: bool = True) -> None:
    added = Gimp.DrawableFilter.new(layer, operation, operation)
    layer.append_filter(added)
    added.set_visible(visible)


def as_merged(operation: str, alpha: bool = False) -> tuple[Any, Any]:
    """The nights of a layer with a filter, and of one that it was merged into."""
    nights = []
    for merge in (False, True):
        image = make_image(size=(200, 150))
        photo = add_photo(image, alpha=alpha, offsets=(20, 30))
        photo.add_mask(photo.create_mask(Gimp.AddMaskType.SELECTION))
        add_filter(photo, operation)
        if merge:
            photo.merge_filters()
        before = state(image)
        nights.append(night(image, photo, **PLAIN))
        assert without(state(image), nights[-1]) == without(before, nights[-1])
        assert len(photo.get_filters()) == (not merge)
    return nights[0], nights[1]


def case_filters_are_seen() -> None:
    image = make_image()
    plain = adds_night(image, add_photo(image), **PLAIN)
    filtered, merged = as_merged("gegl:invert-gamma")
    assert raw(filtered) == raw(merged)
    assert raw(filtered) != raw(plain)


def case_filters_that_reach_beyond_the_layer() -> None:
    filtered, merged = as_merged("gegl:dropshadow", alpha=True)
    assert filtered.get_offsets() == merged.get_offsets()
    assert raw(filtered) == raw(merged)
    assert raw(filtered.get_mask()) == raw(merged.get_mask())


def case_filters_that_are_off() -> None:
    image = make_image()
    photo = add_photo(image)
    plain = adds_night(image, photo, **PLAIN)
    add_filter(photo, "gegl:invert-gamma", visible=False)
    assert raw(adds_night(image, photo, **PLAIN)) == raw(plain)
    assert len(photo.get_filters()) == 1


cases.run_all(globals())
