"""Where the new layer goes, what the selection does, and what is refused."""

from __future__ import annotations

import cases
from gi.repository import Gimp
from scene import (
    NEUTRAL,
    PLAIN,
    add_photo,
    adds_night,
    apart,
    floats,
    make_image,
    raw,
    refuses,
    samples,
    state,
    stored,
    write,
)

REPLACE = Gimp.ChannelOps.REPLACE
LAST = "GimpProcedureConfigRun-plug-in-nightflash.last"


def case_between_layers() -> None:
    image = make_image()
    add_photo(image, name="below")
    photo = add_photo(image, alpha=True)
    add_photo(image, name="above")
    adds_night(image, photo, **PLAIN)


def case_in_group() -> None:
    image = make_image()
    outer = Gimp.GroupLayer.new(image, "outer")
    image.insert_layer(outer, None, 0)
    inner = Gimp.GroupLayer.new(image, "inner")
    image.insert_layer(inner, outer, 0)
    add_photo(image, parent=inner, name="below")
    photo = add_photo(image, parent=inner, offsets=(5, 7))
    add_photo(image, parent=inner, name="above")
    adds_night(image, photo, **PLAIN)


def placed(
    offsets: tuple[int, int], canvas: tuple[int, int] = (96, 64), aim: str = "", **settings: object
) -> bytes:
    """The night of a layer at these offsets, with an aim that moves with it."""
    image = make_image(size=canvas)
    add_photo(image, size=canvas, name="below")
    photo = add_photo(image, offsets=offsets)
    x, y = offsets
    if aim == "box":
        image.select_rectangle(REPLACE, x + 50, y + 10, 30, 40)
    elif aim == "round":
        image.select_ellipse(REPLACE, x + 50, y + 10, 30, 40)
    elif aim == "soft":
        image.select_ellipse(REPLACE, x + 50, y + 10, 30, 40)
        Gimp.Selection.feather(image, 9)
    elif aim == "beyond":
        image.select_ellipse(REPLACE, x + 70, y + 10, 60, 40)
    elif aim == "point":
        settings = {"point_x": x + 65.0, "point_y": y + 30.0, **settings}
    found = raw(adds_night(image, photo, **PLAIN, **settings))
    image.delete()
    return found


def case_offsets() -> None:
    assert placed((0, 0)) == placed((30, 20), (200, 150)) == placed((103, 86), (200, 150))


def case_partly_outside() -> None:
    assert placed((0, 0)) == placed((-40, -25)) == placed((40, 30)) == placed((-10, 20), (40, 40))


def case_wholly_outside() -> None:
    assert placed((0, 0)) == placed((500, -300))


def case_selection_hard() -> None:
    free, hard = placed((0, 0)), placed((0, 0), aim="box")
    assert free != hard, "the selection does nothing"
    assert hard == placed((60, 40), (200, 150), aim="box"), "it does not move with the layer"


def case_selection_round() -> None:
    assert placed((0, 0), (200, 150), "round") == placed((60, 40), (200, 150), "round")
    assert placed((0, 0), aim="round") != placed((0, 0), aim="box")


def case_selection_feathered() -> None:
    soft = placed((20, 20), (200, 150), "soft")
    assert soft == placed((60, 40), (200, 150), "soft")
    assert soft != placed((60, 40), (200, 150), "round"), "the soft edge is lost"


def case_selection_beyond_the_layer() -> None:
    assert placed((0, 0), (250, 150), "beyond") == placed((60, 40), (250, 150), "beyond")


def case_selection_beyond_the_canvas() -> None:
    assert placed((0, 0), (250, 150), "box") == placed((-20, 5), (96, 64), "box")


def case_selection_all() -> None:
    image = make_image()
    photo = add_photo(image)
    Gimp.Selection.all(image)
    adds_night(image, photo, **PLAIN)


def case_selection_off_layer() -> None:
    image = make_image(size=(300, 200))
    photo = add_photo(image, offsets=(5, 5))
    image.select_rectangle(REPLACE, 200, 100, 50, 50)
    sentence = refuses(image, photo, **PLAIN)
    assert "selection" in sentence.lower(), sentence


def case_point() -> None:
    here = placed((0, 0), aim="point")
    assert here == placed((60, 40), (200, 150), aim="point")
    assert here != placed((0, 0), point_x=20.0, point_y=40.0)


def case_point_overrides_selection() -> None:
    image = make_image()
    photo = add_photo(image)
    image.select_rectangle(REPLACE, 50, 10, 30, 40)
    new = adds_night(image, photo, **PLAIN, point_x=65.0, point_y=30.0)
    assert raw(new) == placed((0, 0), aim="point")


def case_point_off_layer() -> None:
    image = make_image(size=(300, 200))
    refuses(image, add_photo(image), **PLAIN, point_x=250.0, point_y=150.0)


def case_mask() -> None:
    plain, image = placed((0, 0)), make_image()
    photo = add_photo(image)
    mask = photo.create_mask(Gimp.AddMaskType.WHITE)
    photo.add_mask(mask)
    write(mask, "Y float", [x / 95 for _ in range(64) for x in range(96)])
    new = adds_night(image, photo, **PLAIN)
    assert photo.get_mask() is not None
    assert new.get_mask() is not None, "no copy of the mask"
    assert raw(new.get_mask()) == raw(photo.get_mask()), "another mask"
    assert raw(new) == plain, "it did not start from the unmasked pixels"


def case_mask_off() -> None:
    image = make_image()
    photo = add_photo(image)
    photo.add_mask(photo.create_mask(Gimp.AddMaskType.BLACK))
    photo.set_apply_mask(False)
    new = adds_night(image, photo, **PLAIN)
    assert new.get_mask() is not None
    assert not new.get_apply_mask()


def case_hidden() -> None:
    image = make_image()
    photo = add_photo(image)
    photo.set_visible(False)
    photo.set_opacity(30)
    adds_night(image, photo, **PLAIN)


def case_locked() -> None:
    image = make_image()
    photo = add_photo(image, alpha=True)
    for lock in (photo.set_lock_content, photo.set_lock_position, photo.set_lock_alpha):
        lock(True)
    adds_night(image, photo, **PLAIN)


def case_tiny() -> None:
    for size in ((1, 1), (1, 40), (40, 1), (2, 2)):
        image = make_image(size=size)
        photo = add_photo(image, size=size)
        new = adds_night(image, photo, **NEUTRAL)
        assert apart(stored(photo), stored(new)) <= 1, size


def case_adobe_rgb() -> None:
    for precision, most in (("U8_NON_LINEAR", 1), ("U16_NON_LINEAR", 2), ("FLOAT_LINEAR", 1e-5)):
        image = make_image(precision=precision)
        photo = add_photo(image, alpha=True)
        green = [0.02, 0.98, 0.05, 1.0] * (2 * 96)  # that sRGB has not
        write(photo, "R'G'B'A float", [*green, *samples(96, 64)[len(green) :]])
        image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())  # assigned: samples stay
        new = adds_night(image, photo, **NEUTRAL)
        trip = add_photo(image, alpha=True)  # GIMP's own way to linear light and back
        write(trip, "RGBA float", floats(photo))
        off = apart(stored(trip), stored(new))
        assert off <= most, f"{precision}: {off}"
        assert apart(stored(photo), stored(new)) <= max(most, apart(stored(photo), stored(trip)))


def case_adobe_rgb_night() -> None:
    """Dark too, and with the same colours as the same colours in sRGB."""
    nights = []
    for profile in (None, Gimp.ColorProfile.new_rgb_adobe()):
        image = make_image(precision="FLOAT_LINEAR")
        if profile is not None:
            image.set_color_profile(profile)
        photo = add_photo(image)
        nights.append(floats(adds_night(image, photo, **PLAIN)))
    assert apart(*nights) < 2e-3, apart(*nights)


def case_float_beyond_white() -> None:
    image = make_image(precision="FLOAT_LINEAR")
    photo = add_photo(image)
    values = [v * 4 - 0.2 for v in floats(photo)]
    write(photo, "RGBA float", values)
    new = adds_night(image, photo, **NEUTRAL)
    assert apart(stored(photo), stored(new)) <= 1e-5, apart(stored(photo), stored(new))


def merged(image: object, group: object) -> tuple[float, ...]:
    """What a group alone looks like."""
    copy = image.duplicate()  # type: ignore[attr-defined]
    name = group.get_name()  # type: ignore[attr-defined]
    for layer in copy.get_layers():
        layer.set_visible(layer.get_name() == name)
    whole = copy.merge_visible_layers(Gimp.MergeType.EXPAND_AS_NECESSARY)
    found = floats(whole, "R'G'B'A float")
    copy.delete()
    return found


def case_parts() -> None:
    for base, precision in (
        ("RGB", "U8_NON_LINEAR"),
        ("RGB", "U16_NON_LINEAR"),
        ("RGB", "FLOAT_LINEAR"),
        ("GRAY", "U8_NON_LINEAR"),
        ("RGB", "U8_PERCEPTUAL"),
    ):
        for alpha in (False, True):
            image = make_image(base, precision)
            photo = add_photo(image, alpha=alpha)
            one = adds_night(image, photo, **PLAIN)
            wanted = floats(one, "R'G'B'A float")
            image.remove_layer(one)
            group = adds_night(image, photo, **PLAIN, output="parts")
            assert group.is_group(), type(group)
            assert group.get_mode() != Gimp.LayerMode.PASS_THROUGH
            names = [layer.get_name() for layer in group.get_children()]
            assert [name.partition(" #")[0] for name in names] == ["Flash", "Night"], names
            found = merged(image, group)
            seen = [  # colour where nothing is does not count
                (a * aa, b * bb)
                for *rgb, aa, bb in (
                    (
                        *zip(wanted[i : i + 3], found[i : i + 3], strict=True),
                        wanted[i + 3],
                        found[i + 3],
                    )
                    for i in range(0, len(wanted), 4)
                )
                for a, b in rgb
            ]
            off = max(abs(a - b) for a, b in seen) * 255
            assert off <= 2.001, f"{base} {precision} alpha {alpha}: {off:.2f} / 255"
            assert apart(wanted[3::4], found[3::4]) <= 1 / 255, f"{precision} alpha: other alpha"


def case_parts_with_mask_in_group() -> None:
    image = make_image()
    outer = Gimp.GroupLayer.new(image, "outer")
    image.insert_layer(outer, None, 0)
    photo = add_photo(image, parent=outer, offsets=(11, -6))
    mask = photo.create_mask(Gimp.AddMaskType.WHITE)
    photo.add_mask(mask)
    write(mask, "Y float", [x / 95 for _ in range(64) for x in range(96)])
    group = adds_night(image, photo, **PLAIN, output="parts")
    assert raw(group.get_mask()) == raw(photo.get_mask())


def case_two_layers() -> None:
    image = make_image()
    below, above = add_photo(image, name="below"), add_photo(image, name="above")
    assert "one layer" in refuses(image, below, above, **PLAIN)


def case_no_layer() -> None:
    image = make_image()
    add_photo(image)
    refuses(image, **PLAIN)


def case_layer_group() -> None:
    image = make_image()
    group = Gimp.GroupLayer.new(image, "group")
    image.insert_layer(group, None, 0)
    add_photo(image, parent=group)
    assert "group" in refuses(image, group, **PLAIN)


def case_layer_mask() -> None:
    image = make_image()
    photo = add_photo(image)
    mask = photo.create_mask(Gimp.AddMaskType.WHITE)
    photo.add_mask(mask)
    assert "mask" in refuses(image, mask, **PLAIN)


def case_channel() -> None:
    from gi.repository import Gegl

    image = make_image()
    add_photo(image)
    channel = Gimp.Channel.new(image, "channel", 96, 64, 50.0, Gegl.Color.new("red"))
    image.insert_channel(channel, None, 0)
    assert "channel" in refuses(image, channel, **PLAIN)


def case_indexed() -> None:
    image = make_image()
    photo = add_photo(image)
    kinds = Gimp.ConvertDitherType, Gimp.ConvertPaletteType
    image.convert_indexed(kinds[0].NONE, kinds[1].GENERATE, 16, False, False, "")
    assert "indexed" in refuses(image, photo, **PLAIN).lower()


def case_arguments() -> None:
    procedure = Gimp.get_pdb().lookup_procedure("plug-in-nightflash")
    names = [argument.name for argument in procedure.get_arguments()]
    assert names[:3] == ["run-mode", "image", "drawables"], names
    config = procedure.create_config()
    cases.record("defaults", found={name: config.get_property(name) for name in names[3:]})


def case_last_values() -> None:
    """Last values, kept by GIMP, are those of the last run with a dialog; here written down."""
    from pathlib import Path

    image = make_image()
    photo = add_photo(image)
    folder = Path(Gimp.directory()) / "plug-in-settings"
    folder.mkdir(exist_ok=True)
    words = '(quality "fast")\n(ambient -2.5)\n(grain-off yes)\n'
    (folder / LAST).write_text(words, encoding="utf-8")
    last = adds_night(image, photo, mode="WITH_LAST_VALS")
    asked = adds_night(image, photo, **PLAIN, ambient=-2.5)
    assert raw(last) == raw(asked)
    assert raw(last) != raw(adds_night(image, photo, **PLAIN))


def case_as_the_backend() -> None:
    """What the test outside compares with the backend's own answer."""
    image = make_image(size=(200, 150))
    photo = add_photo(image, alpha=True, offsets=(30, 20))
    image.select_ellipse(REPLACE, 70, 30, 70, 40)
    Gimp.Selection.feather(image, 11)
    new = adds_night(image, photo, **PLAIN)
    selection = raw(image.get_selection(), "Y float")
    cases.record(
        "outside",
        photo=raw(photo).hex(),
        night=raw(new).hex(),
        selection=selection.hex(),
        state=state(image),
    )


cases.run_all(globals())
