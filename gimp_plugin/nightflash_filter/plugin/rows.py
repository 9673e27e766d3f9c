"""One row of the dialog for each setting: its name, and what it is set with.

GIMP's own rows, of `GimpUi.ProcedureDialog.get_widget`, leave a slider the room that is over, which
is another one in each of its versions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from textwrap import fill
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Pango", "1.0")
from gi.repository import GObject, Gtk, Pango  # noqa: E402
from nightflash.settings import DEFAULTS, SETTING_INFO  # noqa: E402

from plugin.arguments import (  # noqa: E402
    OUTPUTS,
    alike,
    argument_name,
    chosen_settings,
    label,
    letter,
    set_settings,
)
from plugin.record import DIALOG_ONLY  # noqa: E402
from plugin.texts import translated as _  # noqa: E402
from plugin.window_size import is_wide  # noqa: E402

SPACE = 8
SLIDER, LONGER = 140, 200  # least pixels of its length, on a small screen and on others
STEPS = 50  # that a slider has at least
BY_RATIOS = 15  # of a setting's greatest and least value, from which its slider is logarithmic
TIP = 40  # characters of a line of a tooltip
TIP_FROM = 130  # pixels of a row, about half a tooltip
DIGITS = 6  # of a number's room
BOTH_WAYS = GObject.BindingFlags.BIDIRECTIONAL | GObject.BindingFlags.SYNC_CREATE


class Rows:
    """Makes rows that are bound to a configuration, their columns one under the other.

    Args:
        config: A procedure's configuration.
        usual: Gives the value that a setting is reset to.

    Attributes:
        leads: By its letter for Alt, what the name of a setting leads to.
    """

    def __init__(self, config: Any, usual: Callable[[str], Any]) -> None:
        self._config, self._usual = config, usual
        self.leads: dict[str, Any] = {}
        self._names, self._numbers = (Gtk.SizeGroup.new(Gtk.SizeGroupMode.HORIZONTAL) for _ in "12")

    def row(self, setting: str) -> Any:
        """The row of a setting, or of ``output``."""
        if setting == "output":
            return self._choice(setting, OUTPUTS, "What is added to the image.")
        info, default = SETTING_INFO[setting], DEFAULTS[setting]
        if info.choices:
            words = {word: word.capitalize() for word in info.choices if word != DIALOG_ONLY}
            row = self._choice(setting, words, info.help)
        elif isinstance(default, bool):
            row = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACE)
            row.pack_start(self.switch(setting, info.help), True, True, 0)
        else:
            row = self._number(setting)
        reset = self._reset(setting)
        row.pack_end(reset, False, False, 0)
        row.reorder_child(reset, 0)  # what is packed at the end first is outermost
        return row

    def _reset(self, setting: str) -> Any:
        """A small button that is there where a setting is not as usual."""
        button = Gtk.Button.new_from_icon_name("edit-undo-symbolic", Gtk.IconSize.MENU)
        button.set_relief(Gtk.ReliefStyle.NONE)
        name = _("Reset {}").format(label(setting).replace("_", ""))
        button.get_accessible().set_name(name)
        button.set_tooltip_text(name)

        def refresh(*_changed: Any) -> None:
            now = chosen_settings(self._config)[setting]
            changed = not alike(now, self._usual(setting))
            button.set_sensitive(changed)
            button.set_opacity(1.0 if changed else 0.0)

        def pressed(_button: Any) -> None:
            kinds = (Gtk.SpinButton, Gtk.ComboBox, Gtk.CheckButton)
            for widget in button.get_parent().get_children():  # the button is going
                if isinstance(widget, kinds):
                    widget.grab_focus()
            set_settings(self._config, {setting: self._usual(setting)})

        button.connect("clicked", pressed)
        self._config.connect("notify", refresh)
        refresh()
        return button

    def switch(self, setting: str, tooltip: str) -> Any:
        """The row of a property that is on or off; ``tooltip`` explains it."""
        check = Gtk.CheckButton.new_with_mnemonic(label(setting))
        explain(check, tooltip)
        self.leads[letter(setting)] = check
        self._config.bind_property(argument_name(setting), check, "active", BOTH_WAYS)
        return check

    def named(self, setting: str, widget: Any) -> Any:
        """A row of a name and ``widget``, which the name's letter leads to."""
        row = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACE)
        name = Gtk.Label.new_with_mnemonic(label(setting))
        name.set_xalign(0)
        name.set_mnemonic_widget(widget)
        self.leads[letter(setting)] = widget
        if isinstance(widget, Gtk.ComboBoxText):
            name_choice(widget, name.get_text())
            for cell in widget.get_cells():  # a long entry does not make the window wide
                cell.set_property("ellipsize", Pango.EllipsizeMode.END)
        self._names.add_widget(name)
        row.pack_start(name, False, False, 0)
        row.pack_end(widget, True, True, 0)
        return row

    def _choice(self, setting: str, words: Mapping[str, str], tooltip: str) -> Any:
        combo = Gtk.ComboBoxText()
        for word, name in words.items():
            combo.append(word, _(name))
        self._config.bind_property(argument_name(setting), combo, "active-id", BOTH_WAYS)
        row = self.named(setting, combo)
        explain(row, tooltip)
        return row

    def _number(self, setting: str) -> Any:
        info, whole = SETTING_INFO[setting], isinstance(DEFAULTS[setting], int)
        step = max(10.0 ** math.floor(math.log10((info.high - info.low) / STEPS)), float(whole))
        step = 1.0 if whole else step
        amount = Gtk.Adjustment(
            lower=info.low, upper=info.high, step_increment=step, page_increment=10 * step
        )
        self._config.bind_property(argument_name(setting), amount, "value", BOTH_WAYS)
        number = Gtk.SpinButton(adjustment=amount, digits=0 if step >= 1 else 2)
        number.set_width_chars(DIGITS)
        number.set_numeric(True)
        number.set_update_policy(Gtk.SpinButtonUpdatePolicy.IF_VALID)  # what is no number is left
        self._numbers.add_widget(number)
        row = self.named(setting, number)
        explain(row, info.help)
        if setting == "seed":  # a number without a meaning has no slider
            return row
        row.set_child_packing(number, False, False, 0, Gtk.PackType.END)
        slider = Gtk.Scale(adjustment=_lengthwise(amount, whole), draw_value=False, digits=-1)
        slider.set_size_request(LONGER if is_wide() else SLIDER, -1)
        name_slider(slider, label(setting).replace("_", ""), amount)
        row.pack_start(slider, True, True, 0)
        return row


def _lengthwise(amount: Any, whole: bool) -> Any:
    """What a slider moves: the amount, or its logarithm where that counts by ratios."""
    low, high = amount.get_lower(), amount.get_upper()
    if low <= 0 or high / low < BY_RATIOS:
        return amount
    low, high = math.log(low), math.log(high)
    step = (high - low) / STEPS
    stops = Gtk.Adjustment(lower=low, upper=high, step_increment=step, page_increment=10 * step)
    amount.bind_property(
        *("value", stops, "value", BOTH_WAYS),
        lambda _binding, value: math.log(value),
        lambda _binding, stop: float(round(math.exp(stop))) if whole else math.exp(stop),
    )
    return stops


def name_slider(slider: Any, name: str, amount: Any) -> None:
    """Give screen readers the name of a slider, and its amount where it moves the logarithm."""

    def refresh(*_changed: Any) -> None:
        own = slider.get_adjustment() is amount
        told = name if own else f"{name}: {round(amount.get_value(), 2):g}"
        slider.get_accessible().set_name(told)

    amount.connect("value-changed", refresh)
    refresh()


def name_choice(combo: Any, name: str) -> None:
    """Give screen readers the name and value of a choice: the button with the focus does not."""

    def refresh(widget: Any) -> None:
        if isinstance(widget, Gtk.ToggleButton):
            widget.get_accessible().set_name(f"{name}: {combo.get_active_text()}")
        elif isinstance(widget, Gtk.Container):
            widget.forall(refresh)

    combo.connect("changed", refresh)
    refresh(combo)


def explain(widget: Any, text: str) -> None:
    """Give a row a tooltip. It comes in the middle of the pointer: not where it hid the picture."""
    lines = fill(_(text), TIP)

    def show(row: Any, x: int, _y: int, keyboard: bool, tooltip: Any) -> bool:
        tooltip.set_text(lines)
        from_right = row.get_direction() == Gtk.TextDirection.RTL  # there the picture is
        return keyboard or (row.get_allocated_width() - x if from_right else x) > TIP_FROM

    widget.set_has_tooltip(True)
    widget.connect("query-tooltip", show)
    _describe(widget, _(text))


def _describe(widget: Any, text: str) -> None:
    """Tell screen readers of a row what its tooltip says, at whatever in it has the focus."""
    widget.get_accessible().set_description(text)
    if isinstance(widget, Gtk.Box):
        widget.connect("add", lambda _row, added: added.get_accessible().set_description(text))
        widget.foreach(lambda inner: inner.get_accessible().set_description(text))


def in_a_row(*widgets: Any) -> Any:
    """A box of widgets beside each other."""
    row = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACE)
    for widget in widgets:
        row.pack_start(widget, False, False, 0)
    leave_wheel(row)
    return row


def leave_wheel(widget: Any) -> None:
    """Have the wheel over a widget, and all in it, scroll what it lies in and change nothing."""
    if isinstance(widget, Gtk.Range | Gtk.SpinButton | Gtk.ComboBox):
        widget.connect("scroll-event", _passed_on)
    if isinstance(widget, Gtk.Container):
        widget.forall(leave_wheel)


def _passed_on(widget: Any, _event: Any) -> bool:
    widget.stop_emission_by_name("scroll-event")
    return False


def without_letters(widget: Any) -> None:
    """Leave letters for Alt to the settings: Enter and Escape press the dialog's own buttons."""
    if isinstance(widget, Gtk.Button) and widget.get_use_underline():
        widget.set_label(widget.get_label().replace("_", ""))
        widget.set_use_underline(False)
    elif isinstance(widget, Gtk.Container):
        widget.forall(without_letters)
