"""The dialog: settings on the one side, a live preview on the other."""

from __future__ import annotations

import time
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("GimpUi", "3.0")
from gi.repository import GimpUi, GLib, GObject, Gtk  # noqa: E402
from nightflash.errors import Cancelled, NightFlashError  # noqa: E402
from nightflash.settings import KNOBS, PRESETS, look_of  # noqa: E402

from plugin.arguments import argument_name, point, set_point, set_settings  # noqa: E402
from plugin.conversation import Conversation, Listener  # noqa: E402
from plugin.filter import request  # noqa: E402
from plugin.layers import Source  # noqa: E402
from plugin.preview import VIEWS, Preview  # noqa: E402
from plugin.texts import translated as _  # noqa: E402

DEBOUNCE = 25  # milliseconds from the last change of a setting to the request for a preview
LOOK_AGAIN = 300  # milliseconds until a preview is asked for again that can still get better
ADVANCED = ("content", "steps", "seed", "several", "working_size", "purkinje", "method")
SPACE = 8


def ask(procedure: Any, config: Any, source: Source, client: Any) -> Any:
    """Show the dialog and render; gives the pictures of the new layer or layers.

    Raises:
        Cancelled: The user closed the dialog.
        NightFlashError: The layer or selection does not serve.
    """
    GimpUi.init("nightflash")
    dialog = Dialog(procedure, config, source, client)
    try:
        return dialog.run()
    finally:
        dialog.close()


class Dialog:
    """One showing of the dialog."""

    def __init__(self, procedure: Any, config: Any, source: Source, client: Any) -> None:
        self._config, self._source = config, source
        self._mask = source.selection()
        self._timer = 0
        self._loop: Any = None
        self._outcome: Any = None
        self._started, self._stopped = 0.0, False
        self._why_no_gpu = ""
        self._provisional = False  # whether the preview can still get better
        self._fault_told = False  # in the place of what is lit, until something changes
        self._window = GimpUi.ProcedureDialog.new(procedure, config, _("Night with Flash"))
        self._window.set_default_size(1060, 700)
        self._build()
        self._window.connect("response", self._responded)
        self._window.connect("delete-event", lambda *_event: True)
        config.connect("notify", self._setting_changed)
        self._conversation = Conversation(
            client,
            source.pixels(),
            Listener(self._connected, self._progressed, self._answered, self._failed),
        )
        self._request_preview()

    def run(self) -> Any:
        """Let the user choose, then render; gives the pictures."""
        while True:
            if not self._window.run():
                raise Cancelled
            self._render()
            if isinstance(self._outcome, NightFlashError):
                if self._provisional:  # the preview was left at a guess
                    self._request_preview()
                continue  # told in the dialog; the settings are still there to be changed
            if self._outcome is None:
                raise Cancelled
            return self._outcome

    def close(self) -> None:
        """End the conversation and the window."""
        if self._timer:
            GLib.source_remove(self._timer)
            self._timer = 0
        self._conversation.end()
        self._window.destroy()

    def _build(self) -> None:
        across = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=2 * SPACE)
        across.set_border_width(SPACE)
        self._settings = self._settings_column()
        across.pack_start(self._preview_column(), True, True, 0)
        across.pack_start(self._settings, False, False, 0)
        across.show_all()
        self._window.get_content_area().pack_start(across, True, True, 0)

    def _preview_column(self) -> Any:
        column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE)
        self._preview = Preview(self._source.size, self._aimed)
        column.pack_start(self._preview, True, True, 0)
        row = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACE)
        self._view = Gtk.ComboBoxText()
        for view, name in VIEWS.items():
            self._view.append(view, _(name))
        self._view.set_active_id("night")
        self._view.connect("changed", lambda _combo: self._request_preview())
        before = Gtk.ToggleButton(label=_("Before"))
        before.set_tooltip_text(_("Show the photo as it is."))
        before.connect(
            "toggled", lambda b: self._view.set_active_id("day" if b.get_active() else "night")
        )
        outline = Gtk.CheckButton(label=_("Outline"))
        outline.set_tooltip_text(_("Show what is taken for the main object."))
        outline.set_active(True)
        outline.connect("toggled", lambda b: self._preview.set_outlined(b.get_active()))
        self._unaim = Gtk.Button(label=_("Aim by selection") if self._mask else _("Aim for me"))
        self._unaim.set_tooltip_text(_("Forget the point that was clicked."))
        self._unaim.set_sensitive(False)
        self._unaim.connect("clicked", lambda _button: set_point(self._config, None))
        for widget in (before, outline, self._view, self._unaim):
            row.pack_start(widget, False, False, 0)
        column.pack_start(row, False, False, 0)
        self._bar = Gtk.ProgressBar(show_text=True)
        self._bar.set_text("")
        self._status = Gtk.Label(xalign=0, wrap=True, selectable=True)
        self._status.set_max_width_chars(60)
        column.pack_start(self._bar, False, False, 0)
        column.pack_start(self._status, False, False, 0)
        return column

    def _settings_column(self) -> Any:
        column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE)
        presets = Gtk.ComboBoxText()
        for name in PRESETS:
            presets.append(name, _(name.replace("-", " ").capitalize()))
        presets.set_tooltip_text(_("Kinds of night to begin with."))
        presets.connect("changed", self._preset_chosen)
        row = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACE)
        row.pack_start(Gtk.Label(label=_("Preset")), False, False, 0)
        row.pack_start(presets, True, True, 0)
        column.pack_start(row, False, False, 0)
        column.pack_start(self._widget("quality"), False, False, 0)
        column.pack_start(self._widget("output"), False, False, 0)
        groups: dict[str, list[str]] = {}
        for setting, knob in KNOBS.items():
            if setting != "quality":
                group = "More" if setting in ADVANCED else knob.group
                groups.setdefault(group, []).append(setting)
        inner = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE)
        for group in sorted(groups, key=lambda name: name == "More"):
            inner.pack_start(self._group(group, groups[group]), False, False, 0)
        scrolled = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER)
        scrolled.set_size_request(380, -1)
        scrolled.add(inner)
        column.pack_start(scrolled, True, True, 0)
        return column

    def _group(self, name: str, settings: list[str]) -> Any:
        expander = Gtk.Expander(label=_(name), expanded=name != "More")
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE // 2)
        box.set_margin_start(2 * SPACE)
        for setting in settings:
            box.pack_start(self._widget(argument_name(setting)), False, False, 0)
            if KNOBS[setting].can_be_off:
                box.pack_start(self._widget(f"{argument_name(setting)}-off"), False, False, 0)
        expander.add(box)
        return expander

    def _widget(self, name: str) -> Any:
        setting = name.replace("-", "_")
        knob = KNOBS.get(setting)
        number = knob is not None and isinstance(self._config.get_property(name), float)
        if number or setting == "steps":
            widget = self._window.get_scale_entry(name, 1.0)
        else:
            widget = self._window.get_widget(name, GObject.TYPE_NONE)
        if knob is not None:
            widget.set_tooltip_text(_(knob.help))
        if (parent := widget.get_parent()) is not None:
            parent.remove(widget)
        return widget

    def _setting_changed(self, _config: Any, what: Any) -> None:
        if what.name in ("output", "quality"):
            return
        self._fault_told = False
        self._unaim.set_sensitive(point(self._config) is not None)
        if self._timer:
            GLib.source_remove(self._timer)
        self._timer = GLib.timeout_add(DEBOUNCE, self._request_preview)

    def _preset_chosen(self, combo: Any) -> None:
        if name := combo.get_active_id():
            set_settings(self._config, look_of(name))

    def _aimed(self, place: tuple[float, float]) -> None:
        x, y = self._source.offsets
        set_point(self._config, (place[0] + x, place[1] + y))

    def _wanted(self) -> dict[str, Any]:
        wanted = request(self._source, self._config)
        if wanted["point"] is None:
            wanted["mask"] = self._mask
        return wanted

    def _request_preview(self) -> bool:
        self._timer = 0
        if self._loop is None:
            views = [self._view.get_active_id(), "outline"]
            self._conversation.ask("preview", views=views, **self._wanted())
        return False

    def _render(self) -> None:
        """Render while the window goes on: its bar tells how far, its buttons stop it."""
        self._outcome, self._started, self._stopped = None, time.monotonic(), False
        self._fault_told = False
        self._loop = GLib.MainLoop()
        self._set_sensitive(False)
        self._conversation.ask(
            "render", output=self._config.get_property("output"), **self._wanted()
        )
        self._loop.run()
        self._loop = None
        self._set_sensitive(True)
        self._bar.set_fraction(0.0)
        self._bar.set_text("")

    def _set_sensitive(self, sensitive: bool) -> None:
        self._settings.set_sensitive(sensitive)
        self._preview.set_sensitive(sensitive)
        self._window.set_response_sensitive(Gtk.ResponseType.OK, sensitive)

    def _responded(self, _window: Any, response: int) -> None:
        stops = (Gtk.ResponseType.CANCEL, Gtk.ResponseType.DELETE_EVENT)
        if self._loop is not None and response in stops:
            self._stopped = True  # also where the result is on its way already
            self._bar.set_text(_("Stopping"))
            self._conversation.cancel()

    def _connected(self, about: dict[str, Any]) -> None:
        self._bar.set_fraction(0.0)
        self._bar.set_text("")
        self._why_no_gpu = about.get("device_note", "")
        names = _names(about["networks"])
        if not names:  # not read yet
            return
        text = _("{networks} on {device}").format(networks=names, device=about["device"])
        self._status.set_text(f"{text}. {self._why_no_gpu}")

    def _progressed(self, stage: str, fraction: float, sentence: str) -> None:
        text = _(sentence)
        if self._loop is not None and fraction > 0.05:
            left = (time.monotonic() - self._started) * (1 - fraction) / fraction
            text += _(", about {} s left").format(max(1, round(left)))
        if stage == "start":
            self._bar.pulse()
        else:
            self._bar.set_fraction(fraction)
        self._bar.set_text(text)

    def _answered(self, kind: str, answer: Any) -> None:
        header = answer.header
        if kind == "preview":
            self._preview.show_pictures(*answer.pictures)
            told = _("Lit: {object}. {networks} on {device}.").format(
                object=header["subject"]["from"],
                networks=_names(header["networks"]),
                device=header["device"],
            )
            if not self._fault_told:
                self._status.set_text(" ".join([told, self._why_no_gpu, *header["notes"]]))
            self._provisional = header.get("provisional", False)
            if self._loop is None:
                self._bar.set_fraction(0.0)
                self._bar.set_text(_("Looking closer") if self._provisional else "")
                if self._provisional and not self._timer:
                    self._timer = GLib.timeout_add(LOOK_AGAIN, self._request_preview)
        else:
            self._end(None if self._stopped else answer.pictures)

    def _failed(self, kind: str, fault: NightFlashError | None) -> None:
        if fault is not None:
            self._bar.set_fraction(0.0)
            self._bar.set_text("")
            self._status.set_markup(f"<b>{GLib.markup_escape_text(str(fault))}</b>")
            self._fault_told = kind == "render"
        if kind == "render":
            self._end(fault)

    def _end(self, outcome: Any) -> None:
        self._outcome = outcome
        if self._loop is not None:
            self._loop.quit()


def _names(networks: dict[str, str]) -> str:
    """The networks at work, each once, however many roles it has."""
    return ", ".join(dict.fromkeys(networks.values()))
