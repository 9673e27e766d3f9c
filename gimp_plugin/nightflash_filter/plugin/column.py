"""The settings' side of the dialog: the preset, what is made, and the settings.

Those that matter for every photo are in sight; the others are in a group that is closed at first,
and then as it was left.
"""

from __future__ import annotations

from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Gdk, GLib, GObject, Gtk  # noqa: E402
from nightflash.effect import without_effect  # noqa: E402
from nightflash.settings import DEFAULTS, SETTING_INFO  # noqa: E402

from plugin.arguments import chosen_settings, letter  # noqa: E402
from plugin.changes import Changes  # noqa: E402
from plugin.history import History  # noqa: E402
from plugin.kept import keep, kept  # noqa: E402
from plugin.presets import Presets  # noqa: E402
from plugin.rows import SPACE, Rows, explain, leave_wheel  # noqa: E402
from plugin.texts import translated as _  # noqa: E402

IN_SIGHT = (
    *("ambient", "ambient_temperature", "flash_ev", "flash_temperature", "beam"),
    *("softness", "content"),
)
MORE = "More"
SETTLED = 80  # milliseconds until an opened group has its room


class Column(Gtk.Box):
    """All settings, each bound to a configuration.

    Args:
        config: A procedure's configuration.
        history: Takes every change as a step.
        edits: Whether a night is edited, which stays one layer or a group as it is.
    """

    def __init__(self, config: Any, history: History, edits: bool) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE)
        self._config, self._presets = config, Presets(config)
        self._rows = Rows(config, self._usual)
        self._row_of = {s: self._rows.row(s) for s in (*SETTING_INFO, "output")}
        self._row_of["output"].set_sensitive(not edits)
        self._within: set[str] = set()  # letters for Alt of what is in the group
        presets = self._rows.named("preset", self._presets.choice)
        presets.pack_end(self._presets.menu, False, False, 0)
        presets.reorder_child(self._presets.menu, 0)  # what is packed at the end first is outermost
        explain(presets, "Kinds of night to begin with.")
        for row in (presets, self._row_of["quality"], self._row_of["output"]):
            self.pack_start(row, False, False, 0)
        self.pack_start(self._settings(), True, True, 0)
        leave_wheel(self)
        config.connect("notify", lambda *_changed: self._refresh())
        self._refresh()
        Changes(config, history)

    def listen(self, window: Any) -> None:
        """Have letters for Alt that are typed in a window lead to what is in a closed group."""
        window.connect("key-press-event", self._typed)

    def _usual(self, setting: str) -> Any:
        """What a setting is reset to: the value of the preset that it began with."""
        return self._presets.look.get(setting, DEFAULTS[setting])

    def _settings(self) -> Any:
        inner = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE // 2)
        for setting in IN_SIGHT:
            inner.pack_start(self._row_of[setting], False, False, 0)
        inner.pack_start(self._more(), False, False, 0)
        inner.set_margin_end(2 * SPACE)  # where the bar of scrolling comes
        scrolled = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER)
        scrolled.add(inner)
        inner.set_focus_vadjustment(scrolled.get_vadjustment())  # what has the focus is seen
        return scrolled

    def _more(self) -> Any:
        """The group of all settings that are not in sight, under the headings of their kinds."""
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE // 2)
        box.set_margin_start(SPACE)
        heading = ""
        for setting, info in SETTING_INFO.items():
            within = setting not in (*IN_SIGHT, "quality")
            if not within and not info.can_be_off:
                continue
            if info.group != heading:
                heading = info.group
                box.pack_start(_heading(heading), False, False, 0)
            if within:
                self._within.add(letter(setting))
                box.pack_start(self._row_of[setting], False, False, 0)
            if info.can_be_off:
                self._within.add(letter(f"{setting}_off"))
                off = self._rows.switch(f"{setting}_off", info.help)
                self._row_of[f"{setting}_off"] = off
                box.pack_start(off, False, False, 0)
        box.show_all()
        box.set_no_show_all(True)
        self._group = Gtk.Expander(label=_(MORE), expanded=kept("more") is True)
        self._group.set_margin_top(SPACE)
        self._group.add(box)
        # What is in a closed group would have the focus unseen.
        self._group.bind_property("expanded", box, "visible", GObject.BindingFlags.SYNC_CREATE)
        self._group.connect(
            "notify::expanded", lambda *_changed: keep("more", self._group.get_expanded())
        )
        return self._group

    def _typed(self, _window: Any, event: Any) -> bool:
        """Open the group where a letter leads into it."""
        typed = chr(Gdk.keyval_to_unicode(event.keyval)).lower()
        alt = event.state & Gdk.ModifierType.MOD1_MASK
        if not alt or typed not in self._within or self._group.get_expanded():
            return False
        self._group.set_expanded(True)
        # Once there is room for what the letter leads to: then it is scrolled to. A switch that was
        # out of sight is not switched.
        GLib.timeout_add(SETTLED, lambda: self._rows.leads[typed].grab_focus())
        return True

    def _refresh(self) -> None:
        """Show what is without effect."""
        chosen = chosen_settings(self._config)
        idle = without_effect(chosen)
        for setting in SETTING_INFO:
            self._row_of[setting].set_sensitive(setting not in idle and chosen[setting] is not None)
            if SETTING_INFO[setting].can_be_off:
                self._row_of[f"{setting}_off"].set_sensitive(setting not in idle)


def _heading(text: str) -> Any:
    heading = Gtk.Label(label=_(text), xalign=0)
    heading.get_style_context().add_class("dim-label")
    heading.set_margin_top(SPACE)
    return heading
