"""Nights that are edited again: what they keep, what stays, and what is told."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

import cases
from gi.repository import Gimp, Gio
from scene import (
    PLAIN,
    add_photo,
    adds_night,
    apart,
    floats,
    make_image,
    newest_night,
    night,
    raw,
    refuses,
    state,
    write,
)

REPLACE = Gimp.ChannelOps.REPLACE
MARK, AIM, OUTLINE = "nightflash-night", "nightflash-aim", "nightflash-outline"


def made(**settings: Any) -> tuple[Any, Any, Any]:
    """An image, its photo and a night of it."""
    image = make_image()
    photo = add_photo(image, offsets=(3, 5))
    return image, photo, night(image, photo, **{**PLAIN, **settings})


def edits(image: Any, layer: Any, how: str = "edit", **settings: Any) -> Any:
    """Edit a night; the stack has as many layers after, and what is at its place keeps its name."""
    before = state(image)["layers"]
    at = image.get_item_position(layer)
    new = night(image, layer, on_night=how, **settings)
    after = state(image)["layers"]
    assert image.get_item_position(new) == at
    assert [one["name"] for one in after] == [one["name"] for one in before]
    kept = ("name", "type", "place", "looks", "apply", "mask")
    assert all(after[at][what] == before[at][what] for what in kept), f"{before}\n{after}"
    assert after[:at] == before[:at]
    assert after[at + 1 :] == before[at + 1 :]
    assert [one.get_id() for one in image.get_selected_layers()] == [new.get_id()]
    return new


def record(layer: Any) -> Any:
    return json.loads(bytes(layer.get_parasite(MARK).get_data()))


def keep(layer: Any, name: str, data: bytes) -> None:
    signed = [number - 256 if number > 127 else number for number in data]
    layer.attach_parasite(Gimp.Parasite.new(name, Gimp.PARASITE_PERSISTENT, signed))


def case_settings_are_kept() -> None:
    image, photo, first = made(ambient=-3.0, beam=2.0, grain_off=True)
    assert record(first)["settings"]["ambient"] == -3.0
    assert record(first)["settings"]["grain"] is None
    before = raw(first)
    same = edits(image, first)
    assert raw(same) == before
    darker = edits(image, same, ambient=-6.0)
    assert raw(darker) == raw(night(image, photo, **PLAIN, ambient=-6.0, beam=2.0, grain_off=True))
    assert record(darker)["settings"]["beam"] == 2.0


def case_replaced_with_what_is_given() -> None:
    image, photo, first = made(ambient=-3.0, beam=2.0)
    new = edits(image, first, "replace", **PLAIN, falloff=0.5)
    assert raw(new) == raw(night(image, photo, **PLAIN, falloff=0.5))


def case_one_step_of_undo_and_what_the_user_did_stays() -> None:
    image, _photo, first = made()
    first.set_name("My night")
    first.set_opacity(60)
    first.set_mode(Gimp.LayerMode.SCREEN)
    first.set_lock_alpha(True)
    first.set_color_tag(Gimp.ColorTag.RED)
    mask = first.create_mask(Gimp.AddMaskType.WHITE)
    first.add_mask(mask)
    write(mask, "Y float", [x / 95 for _ in range(64) for x in range(96)])
    added = Gimp.DrawableFilter.new(first, "gegl:invert-gamma", "inverted")
    first.append_filter(added)
    first.set_offsets(20, 30)
    tattoo = first.get_tattoo()
    new = edits(image, first, ambient=-2.0)
    assert (new.get_tattoo(), new.get_lock_alpha()) == (tattoo, True)
    assert new.get_color_tag() == Gimp.ColorTag.RED
    assert len(new.get_filters()) == 1
    assert not [one for one in image.get_layers() if one.get_id() == first.get_id()]


def case_aims_are_kept() -> None:
    image, photo, pointed = made(point_x=65.0, point_y=30.0)
    other = raw(night(image, photo, **PLAIN, point_x=20.0, point_y=40.0))
    before = raw(pointed)
    assert before != other
    photo.set_offsets(13, 9)  # the point is one of the photo
    assert raw(edits(image, pointed)) == before

    image, photo = make_image(), None
    photo = add_photo(image)
    image.select_ellipse(REPLACE, 50, 10, 30, 40)
    Gimp.Selection.feather(image, 9)
    drawn = night(image, photo, **PLAIN)
    before = raw(drawn)
    Gimp.Selection.none(image)
    assert raw(night(image, photo, **PLAIN)) != before
    drawn = edits(image, drawn)
    assert raw(drawn) == before
    image.select_rectangle(REPLACE, 5, 5, 30, 40)  # a selection aims anew
    anew = edits(image, drawn)
    assert raw(anew) != before
    assert raw(anew) == raw(night(image, photo, **PLAIN))


def case_parts_stay_parts() -> None:
    image, photo, group = made(output="parts")
    flash, ambient = group.get_children()
    flash.set_opacity(30)
    flash.set_name("My flash")
    image.select_rectangle(REPLACE, 50, 10, 30, 40)
    new = edits(image, flash.get_parent(), ambient=-2.0)
    wanted = night(image, photo, **PLAIN, ambient=-2.0, output="parts")
    assert [raw(one) for one in new.get_children()] == [raw(one) for one in wanted.get_children()]
    assert [one.get_name() for one in new.get_children()] == ["My flash", ambient.get_name()]
    assert new.get_children()[0].get_opacity() == 30
    image.remove_layer(new.get_children()[0])
    again = night(image, new.get_children()[0], on_night="edit", ambient=-2.0)
    assert [raw(one) for one in again.get_children()] == [raw(one) for one in wanted.get_children()]


def case_numbers_in_names() -> None:
    image, photo, first = made()
    second = night(image, photo, **PLAIN)
    third = night(image, first, **PLAIN)
    names = [one.get_name() for one in (first, second, third)]
    assert names == ["Night with flash", "Night with flash #2", "Night with flash #3"], names
    assert edits(image, second).get_name() == "Night with flash #2"


def case_saved_and_edited() -> None:
    image, _photo, _first = made(ambient=-3.0)
    image.select_ellipse(REPLACE, 50, 10, 30, 40)
    before = raw(edits(image, newest_night(image)))
    file = Gio.File.new_for_path(f"{Gimp.directory()}/again.xcf")
    Gimp.Selection.none(image)
    assert Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, file, None)
    opened = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file)
    assert raw(edits(opened, newest_night(opened))) == before


def case_the_photo_is_found_by_its_pixels() -> None:
    image, photo, first = made()
    before = raw(first)
    add_photo(image, name="another", size=(96, 64), alpha=True)
    twin = photo.copy()
    image.insert_layer(twin, None, 0)
    image.remove_layer(photo)
    new = edits(image, first)
    assert raw(new) == before
    assert record(new)["photo"] == twin.get_tattoo()


def case_no_other_photo_is_taken_where_the_pixels_are_not_known() -> None:
    """Nights of earlier versions keep the number of their photo's layer alone."""
    image, photo, first = made()
    keep(first, MARK, json.dumps({"photo": photo.get_tattoo()}).encode())
    before = raw(first)
    add_photo(image, name="another")
    assert raw(edits(image, first, **PLAIN)) == before
    keep(newest_night(image), MARK, json.dumps({"photo": photo.get_tattoo()}).encode())
    image.remove_layer(photo)
    assert "photo" in refuses(image, newest_night(image), on_night="edit")


def case_a_changed_photo_is_told() -> None:
    image, photo, first = made()
    before = raw(first)
    write(photo, "R'G'B'A float", [0.5] * (96 * 64 * 4))
    new = edits(image, first)
    assert raw(new) != before


def case_a_photo_of_another_size() -> None:
    image, photo, first = made()
    first.add_mask(first.create_mask(Gimp.AddMaskType.WHITE))
    photo.scale(48, 32, False)
    new = night(image, first, on_night="edit")
    assert (new.get_width(), new.get_height()) == (48, 32)
    assert new.get_offsets() == photo.get_offsets()
    assert apart(floats(new), floats(night(image, photo, **PLAIN))) == 0


BAD_MARKS = (
    b"",
    b"{",
    b"\xff\xfe",
    b"[" * 60000,
    b'{"photo": "1"}',
    b'{"photo": -1}',
    b'{"photo": 1e400}',
    b"null",
)


def case_marks_that_cannot_be_read() -> None:
    """The layer is a photo like any other, and a sentence says so."""
    for mark in BAD_MARKS:
        image = make_image()
        photo = add_photo(image)
        keep(photo, MARK, mark or b" ")
        adds_night(image, photo, **PLAIN)
        for how in ("replace", "edit"):
            night(image, photo, **PLAIN, on_night=how)
        assert len(image.get_layers()) == 4


def case_settings_that_cannot_be() -> None:
    image, photo, first = made(beam=2.0)
    kept = record(first)
    wrong = {"ambient": 99, "beam": "wide", "steps": 1.5, "quality": "preview", "new": 1}
    keep(first, MARK, json.dumps({**kept, "settings": {**wrong, "falloff": 0.5}}).encode())
    new = edits(image, first, **PLAIN)
    assert raw(new) == raw(night(image, photo, **PLAIN, falloff=0.5))
    keep(new, MARK, json.dumps({**kept, "settings": [1], "point": [2, "x"]}).encode())
    assert raw(edits(image, new, **PLAIN)) == raw(night(image, photo, **PLAIN))


def case_aims_that_cannot_be() -> None:
    size, huge = struct.pack(">II", 96, 64), struct.pack(">II", 2**31, 2**31)
    for data in (
        b"\xff",
        base64.b64encode(b"x"),
        base64.b64encode(size + b"no zlib"),
        base64.b64encode(huge + zlib.compress(b"x")),
        base64.b64encode(size + zlib.compress(bytes(96 * 64 - 1))),
    ):
        image, _photo, first = made()
        before = raw(first)
        keep(first, AIM, data)
        assert raw(edits(image, first)) == before


def outline(**fields: Any) -> bytes:
    return base64.b64encode(zlib.compress(json.dumps(fields).encode()))


def case_corrections_are_kept() -> None:
    """A stroke that covers half of the photo is lit in every edit, until another aim is given."""
    image, photo, first = made()
    stroke = [True, 0.3, [0.75, 0.2, 0.75, 0.8]]
    keep(first, OUTLINE, outline(clicks=[], strokes=[stroke]))
    corrected = edits(image, first)
    lit = raw(corrected)
    assert lit != raw(night(image, photo, **PLAIN))
    again = edits(image, corrected)
    assert raw(again) == lit
    assert again.get_parasite(OUTLINE) is not None
    elsewhere = edits(image, again, point_x=20.0, point_y=20.0)
    assert elsewhere.get_parasite(OUTLINE) is None
    assert raw(elsewhere) == raw(night(image, photo, **PLAIN, point_x=20.0, point_y=20.0))


def case_corrections_that_cannot_be() -> None:
    for data in (
        b"\xff",
        base64.b64encode(b"no zlib"),
        outline(clicks=1),
        outline(clicks=[[True, 0.5, "x"]], strokes=[]),
        outline(clicks=[[1, 0.5, 0.5]], strokes=[]),
        outline(clicks=[], strokes=[[True, 1e9, [0.5, 0.5]]]),
        outline(clicks=[], strokes=[[True, 0.1, [0.5]]]),
        outline(clicks=[], strokes=[[True, 0.1, []]]),
    ):
        image, _photo, first = made()
        before = raw(first)
        keep(first, OUTLINE, data)
        assert raw(edits(image, first)) == before


cases.run_all(globals())
