"""What else than settings is called in the dialog. An underscore is before the letter for Alt.

Every letter is used once, those in `nightflash.settings` too: OK and Cancel have Enter and Escape,
and only Reset, R, is GIMP's own.
"""

LABELS = {
    "preset": "_Preset",
    "output": "Res_ult",
    "ambient_off": "Light of the flash onl_y",
    "grain_off": "Wi_thout grain",
}

PRESET_NAMES = {"published": "As published, dark grey"}
"""Presets whose names do not say what they are."""
