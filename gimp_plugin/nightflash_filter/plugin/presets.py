"""The choice of a preset, and the menu that keeps settings as presets of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402
from nightflash import own_presets, presets  # noqa: E402
from nightflash.errors import NightFlashError  # noqa: E402

from plugin.arguments import (  # noqa: E402
    Looks,
    chosen_settings,
    looks_of,
    preset_name,
    preset_of,
    set_preset,
)
from plugin.backend import in_words  # noqa: E402
from plugin.rows import SPACE  # noqa: E402
from plugin.texts import translated as _  # noqa: E402

CHANGED = "\n"  # the entry of a preset that is no longer what it says; no name has this


class Presets:
    """Which preset the settings are.

    Args:
        config: A procedure's configuration.

    Attributes:
        choice: The box to choose from.
        menu: The button beside it.
    """

    def __init__(self, config: Any) -> None:
        self._config = config
        self._looks: Looks = {}
        self._displayed: tuple[str, bool] | None = None
        self.choice = Gtk.ComboBoxText()
        self._choosing = self.choice.connect("changed", self._chosen)
        self.menu = Gtk.MenuButton(popup=self._menu())
        self.menu.add(Gtk.Image.new_from_icon_name("open-menu-symbolic", Gtk.IconSize.MENU))
        self.menu.set_tooltip_text(_("Keep, rename and delete presets of your own."))
        self.menu.get_accessible().set_name(_("Own presets"))
        self._read()
        config.connect("notify", lambda *_changed: self._refresh())

    @property
    def look(self) -> Mapping[str, Any]:
        """The settings of the preset that those of now began with."""
        return self._looks[self._preset()[0]]

    def _preset(self) -> tuple[str, bool]:
        return preset_of(self._config, self._looks)

    def _menu(self) -> Any:
        menu = Gtk.Menu()
        entries = (
            (_("Save…"), self._save),
            (_("Rename…"), self._rename),
            (_("Delete…"), self._delete),
        )
        self._entries = []
        for name, pressed in entries:
            entry = Gtk.MenuItem.new_with_label(name)
            entry.connect("activate", lambda _entry, pressed=pressed: self._try(pressed))
            menu.append(entry)
            self._entries.append(entry)
        menu.show_all()
        return menu

    def _read(self) -> None:
        """Offer what there is; a file that cannot be read is reported where one wants to save."""
        try:
            self._looks = looks_of(own_presets.read())
        except NightFlashError:
            self._looks = looks_of({})
        with self.choice.handler_block(self._choosing):
            self.choice.remove_all()
            for name in self._looks:
                self.choice.append(name, shown(name))
        self._displayed = None
        self._refresh()

    def _refresh(self) -> None:
        """Show which preset the settings are."""
        name, changed = self._preset()
        if (name, changed) == self._displayed:
            return
        self._displayed = name, changed
        with self.choice.handler_block(self._choosing):
            if self.choice.get_model().iter_n_children(None) > len(self._looks):
                self.choice.remove(0)
            if changed:
                self.choice.prepend(CHANGED, _("{}, changed").format(shown(name)))
            self.choice.set_active_id(CHANGED if changed else name)
        for entry in self._entries[1:]:
            entry.set_sensitive(name not in presets.PRESETS)

    def _chosen(self, choice: Any) -> None:
        if (name := choice.get_active_id()) in self._looks:
            set_preset(self._config, name, self._looks)

    def _try(self, work: Callable[[], None]) -> None:
        """Do what was chosen in the menu; a fault is shown in a window."""
        try:
            work()
        except NightFlashError as fault:
            self._ask(Gtk.MessageType.ERROR, Gtk.ButtonsType.CLOSE, str(in_words(fault)))
        self._read()

    def _save(self) -> None:
        name, _changed = self._preset()
        usual = "" if name in presets.PRESETS else name
        if (wanted := self._name(_("Save preset"), usual)) is not None:
            self._config.set_property("preset", presets.save(wanted, chosen_settings(self._config)))

    def _rename(self) -> None:
        name, _changed = self._preset()
        if (wanted := self._name(_("Rename preset"), name)) not in (None, name):
            self._config.set_property("preset", presets.rename(name, wanted))

    def _delete(self) -> None:
        name, _changed = self._preset()
        question = _("Delete the preset {}?").format(name)
        if self._ask(Gtk.MessageType.QUESTION, Gtk.ButtonsType.OK_CANCEL, question):
            own_presets.delete(name)

    def _name(self, title: str, usual: str) -> str | None:
        """Ask for a name; None where there is none."""
        window = Gtk.Dialog(title=title, transient_for=self.choice.get_toplevel(), modal=True)
        window.add_buttons(*(_("Cancel"), Gtk.ResponseType.CANCEL, _("Save"), Gtk.ResponseType.OK))
        window.set_default_response(Gtk.ResponseType.OK)
        entry = Gtk.Entry(text=usual, activates_default=True, max_length=own_presets.MOST_LETTERS)
        entry.get_accessible().set_name(_("Name"))
        row = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACE, border_width=SPACE)
        row.pack_start(Gtk.Label(label=_("Name")), False, False, 0)
        row.pack_start(entry, True, True, 0)
        window.get_content_area().add(row)
        window.show_all()
        agreed, name = window.run() == Gtk.ResponseType.OK, entry.get_text()
        window.destroy()
        return name if agreed else None

    def _ask(self, kind: Any, buttons: Any, text: str) -> bool:
        window = Gtk.MessageDialog(
            transient_for=self.choice.get_toplevel(),
            modal=True,
            message_type=kind,
            buttons=buttons,
            text=text,
        )
        window.set_default_response(Gtk.ResponseType.OK)
        agreed = window.run() == Gtk.ResponseType.OK
        window.destroy()
        return bool(agreed)


def shown(name: str) -> str:
    """The name of a preset for people."""
    return _(preset_name(name)) if name in presets.PRESETS else name
