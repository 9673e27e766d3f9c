"""The settings' side of the dialog: the preset, what is made, and groups of settings."""

from __future__ import annotations

from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import GObject, Gtk  # noqa: E402
from nightflash.settings import KNOBS, PRESETS  # noqa: E402

from plugin.arguments import preset_name, preset_of, set_preset  # noqa: E402
from plugin.rows import SPACE, Rows, explain, leave_wheel  # noqa: E402
from plugin.texts import translated as _  # noqa: E402

MORE = "More"
ADVANCED = ("content", "steps", "seed", "several", "working_size", "purkinje", "method")
NEEDS = {
    "ambient-off": ("ambient", "ambient_temperature"),
    "grain-off": ("grain", "seed"),
    "flash": tuple(s for s, knob in KNOBS.items() if knob.group == "Flash" and s != "flash"),
}
"""What a switch that is off, or an off that is on, leaves without effect."""
CHANGED = "changed"  # the entry of a preset that is no longer what it says


class Column(Gtk.Box):
    """All settings, each bound to a configuration.

    Args:
        config: A procedure's configuration.
        edits: Whether a night is edited, which stays one layer or a group as it is.
    """

    def __init__(self, config: Any, edits: bool = False) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE)
        self._config, self._rows = config, Rows(config)
        self._told: tuple[str, bool] | None = None
        self._row_of = {s: self._rows.row(s) for s in (*KNOBS, "output")}
        self._row_of["output"].set_sensitive(not edits)
        self._presets = Gtk.ComboBoxText()
        for name in PRESETS:
            self._presets.append(name, _(preset_name(name)))
        self._choosing = self._presets.connect("changed", self._preset_chosen)
        presets = self._rows.named("preset", self._presets)
        explain(presets, "Kinds of night to begin with.")
        top = (presets, self._row_of["quality"])
        for row in (*top, self._row_of["output"], self._groups()):
            last = isinstance(row, Gtk.ScrolledWindow)
            self.pack_start(row, last, last, 0)
        leave_wheel(self)
        config.connect("notify", lambda *_changed: self._tell())
        self._tell()

    def _groups(self) -> Any:
        groups: dict[str, list[str]] = {}
        for setting, knob in KNOBS.items():
            if setting != "quality":
                groups.setdefault(MORE if setting in ADVANCED else knob.group, []).append(setting)
        inner = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE)
        for name in sorted(groups, key=lambda name: name == MORE):
            inner.pack_start(self._group(name, groups[name]), False, False, 0)
        inner.set_margin_end(2 * SPACE)  # where the bar of scrolling comes
        scrolled = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER)
        scrolled.add(inner)
        inner.set_focus_vadjustment(scrolled.get_vadjustment())  # what has the focus is seen
        return scrolled

    def _group(self, name: str, settings: list[str]) -> Any:
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE // 2)
        box.set_margin_start(2 * SPACE)
        box.set_margin_top(SPACE // 2)
        for setting in settings:
            box.pack_start(self._row_of[setting], False, False, 0)
            if KNOBS[setting].can_be_off:
                off = self._rows.switch(f"{setting}_off", KNOBS[setting].help)
                box.pack_start(off, False, False, 0)
        box.show_all()
        box.set_no_show_all(True)
        expander = Gtk.Expander(label=_(name), expanded=name != MORE)
        expander.add(box)
        # What is in a closed group would have the focus, and the letters for Alt, unseen.
        expander.bind_property("expanded", box, "visible", GObject.BindingFlags.SYNC_CREATE)
        return expander

    def _preset_chosen(self, combo: Any) -> None:
        if (name := combo.get_active_id()) in PRESETS:
            set_preset(self._config, name)

    def _tell(self) -> None:
        """Show which preset the settings are, and what is without effect."""
        if (told := preset_of(self._config)) != self._told:
            self._told = told
            self._tell_preset(*told)
        for switch, settings in NEEDS.items():
            works = self._config.get_property(switch) != switch.endswith("-off")
            for setting in settings:
                self._row_of[setting].set_sensitive(works)

    def _tell_preset(self, name: str, changed: bool) -> None:
        combo = self._presets
        with combo.handler_block(self._choosing):
            if combo.get_model().iter_n_children(None) > len(PRESETS):
                combo.remove(0)
            if changed:
                combo.prepend(CHANGED, _("{}, changed").format(_(preset_name(name))))
            combo.set_active_id(CHANGED if changed else name)
