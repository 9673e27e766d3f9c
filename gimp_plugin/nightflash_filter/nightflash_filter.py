#!/usr/bin/env python3
"""Night with Flash: registers the filter with GIMP 3 and runs it.

An error while this module is read would make the filter vanish from the menu without a word, so
only gi and the standard library are imported here; all else is imported where a failure can be
shown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gimp, GLib, GObject  # noqa: E402

HERE = Path(__file__).resolve().parent
NAME = "plug-in-nightflash"


class NightFlash(Gimp.PlugIn):
    """The plug-in: one procedure."""

    def do_set_i18n(self, name: str) -> bool:
        """No catalogue bound by GIMP: `plugin.texts` translates, in the menu too."""
        return False

    def do_query_procedures(self) -> list[str]:
        """The procedures there are."""
        return [NAME]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        """Describe the procedure; where even that fails, its run says why."""
        _ = translation()
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        procedure.set_image_types("RGB*, GRAY*")
        procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE)
        procedure.set_menu_label(_("Night _with Flash…"))
        procedure.add_menu_path("<Image>/Filters/Light and Shadow")
        procedure.set_attribution("NightFlash", "MIT licence", "2026")
        procedure.set_documentation(
            _("The photo as a camera with a flash would have taken it at night"),
            "Makes a new layer from the active one. The selection is the main object, at which"
            " the flash is aimed; without one it is found. From a script: run-mode NONINTERACTIVE,"
            " the image, the layer alone in drawables, and any settings, such as quality or"
            " ambient; point-x and point-y aim at a point of the image. The new layer or group is"
            " returned. GIMP's procedure browser lists all settings with their ranges.",
            name,
        )
        try:
            find_modules()
            from plugin.arguments import add_arguments

            add_arguments(procedure)
        except Exception as fault:
            print(f"NightFlash: {fault!r}", file=sys.stderr)
        return procedure


def translation() -> Callable[[str], str]:
    """What translates texts; where it cannot be had, they stay English."""
    try:
        find_modules()
        from plugin.texts import translated
    except Exception as fault:
        print(f"NightFlash: {fault!r}", file=sys.stderr)
        return str
    return translated


def find_modules() -> None:
    """Put the plug-in's own folders first: its modules, the client's, and a private pyzmq."""
    for folder in (HERE / "site", HERE / "lib", HERE):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))


def run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: Sequence[Any],
    config: Gimp.ProcedureConfig,
    data: None,
) -> Gimp.ValueArray:
    """Run the filter; whatever goes wrong comes back as a sentence, with nothing changed."""
    status = Gimp.PDBStatusType
    # What has gone meanwhile is reported in a sentence of ours, not by GIMP for every call.
    procedure.get_plug_in().set_pdb_error_handler(Gimp.PDBErrorHandler.PLUGIN)
    try:
        find_modules()
        from plugin.filter import Stopped, run_filter

        try:
            layer = run_filter(procedure, run_mode, image, drawables, config)
        except Stopped:
            return procedure.new_return_values(status.CANCEL, None)
    except Exception as fault:
        return procedure.new_return_values(status.EXECUTION_ERROR, GLib.Error(sentence(fault)))
    return Gimp.ValueArray.new_from_values(
        [GObject.Value(status, status.SUCCESS), GObject.Value(Gimp.Layer, layer)]
    )


def sentence(fault: Exception) -> str:
    """The message to the user on a fault."""
    if hasattr(fault, "sentence"):  # nightflash.errors.NightFlashError
        return str(fault)
    import traceback

    traceback.print_exception(fault)
    return (
        f"Night with Flash failed ({type(fault).__name__}: {fault}). "
        "Run the installer again; if that does not help, please report it."
    )


if __name__ == "__main__":
    Gimp.main(NightFlash.__gtype__, sys.argv)
