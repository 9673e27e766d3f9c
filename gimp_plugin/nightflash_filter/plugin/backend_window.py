"""The window "Backend": what does the work, how it is, and what can be done about it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import GLib, Gtk  # noqa: E402
from nightflash.client.connection import crash_file, log_file  # noqa: E402
from nightflash.errors import NightFlashError  # noqa: E402

from plugin.backend import HERE, chosen_name  # noqa: E402
from plugin.computers import Computers  # noqa: E402
from plugin.download import Download  # noqa: E402
from plugin.faults import in_own_language  # noqa: E402
from plugin.rows import SPACE  # noqa: E402
from plugin.showing import show  # noqa: E402
from plugin.texts import translated as _  # noqa: E402

STATES = {
    "loading": "Starting: it reads its networks",
    "ready": "Ready",
    "released": "Ready; it reads its networks again when they are needed",
    "failed": "Failed",
}
LOG_LINES = 300  # of the end of the log that are shown
FACTS = {
    "state": "State",
    "networks": "Networks",
    "device": "Works on",
    "notes": "This photo",
    "folder": "Network files",
    "log": "Log",
}


class BackendWindow(Gtk.Dialog):
    """Shows the state of the backend, restarts it, shows its log, and brings networks.

    Args:
        parent: The window it belongs to.
        ask: Has ``status`` or ``restart`` done; `show_state` or `fail` hears of it.
        renewed: Called where the backend will be another one.
        moved: Called where it is on another computer from now on.
    """

    def __init__(
        self,
        parent: Any,
        ask: Callable[[str], None],
        renewed: Callable[[], Any],
        moved: Callable[[], Any],
    ):
        super().__init__(title=_("Backend"), transient_for=parent, modal=True)
        self.set_default_size(680, 360)
        self._ask, self._renewed, self._moved = ask, renewed, moved
        self._folder = ""
        self._download: Any = None
        self._facts = {name: _value() for name in FACTS}
        self._facts["log"].set_text(str(log_file()))
        self._line = _value()
        self._bar = Gtk.ProgressBar()
        self._computers = Computers(self._other_computer)
        self._actions = {
            "restart": self._button(_("_Restart"), self._restart),
            "log": self._button(_("Show _log"), self._show_log),
            "folder": self._button(_("Open _folder"), self._open_folder),
            "download": self._button(_("_Download networks"), self._download_pressed),
        }
        self._actions["download"].set_tooltip_text(
            _("Those that suit this machine best: about 0.4 GB, or 0.5 GB with a GPU.")
        )
        self._build()
        self.add_button(_("_Close"), Gtk.ResponseType.CLOSE)
        self.connect("response", lambda *_response: self.hide())
        self.connect("delete-event", lambda *_event: self.hide_on_delete())

    def open(self) -> None:
        """Show it with what is true now."""
        self.show_all()
        self.get_widget_for_response(Gtk.ResponseType.CLOSE).grab_focus()
        self.present()
        self._ask("status")

    def button(self) -> Any:
        """A button that opens it."""
        button = Gtk.Button.new_with_mnemonic(_("Backend…"))
        button.set_tooltip_text(_("What does the work, and where: networks, log, restart."))
        button.connect("clicked", lambda _button: self.open())
        return button

    def show_state(self, about: dict[str, Any]) -> None:
        """Show what the backend says of itself."""
        state = _(STATES.get(about["state"], about["state"]))
        known = _("{} (version {}, process {}).").format(state, about["version"], about["pid"])
        fault = in_own_language(about.get("fault", ""))
        self._facts["state"].set_text(f"{known} {fault}".strip())
        self._show_work(about["networks"], about["device"], about.get("device_note", ""))
        self._folder = about.get("weights", "") or self._folder
        self._idle()

    def show_work(self, header: dict[str, Any], why_no_gpu: str) -> None:
        """Show what an answer says about the work."""
        self._show_work(header["networks"], header["device"], why_no_gpu)
        told = " ".join(map(in_own_language, header["notes"]))
        self._facts["notes"].set_text(told or _("Nothing to tell."))

    def fail(self, fault: NightFlashError) -> None:
        """Show that the backend is not to be had."""
        self._facts["state"].set_text(str(fault))
        self._idle()

    def progress(self, sentence: str) -> None:
        """Show what is being done."""
        self._tell(sentence, None)

    def rest(self) -> None:
        """Show that nothing is being done, but for a download."""
        if self._download is None:
            self._tell("", 0.0)

    def allow_computers(self, allowed: bool) -> None:
        """Whether another computer may be chosen."""
        self._computers.set_sensitive(allowed)

    def end(self) -> None:
        """Stop what is under way and close."""
        if self._download is not None:
            self._download.stop()
        self._computers.end()
        self.destroy()

    def _build(self) -> None:
        grid = Gtk.Grid(column_spacing=2 * SPACE, row_spacing=SPACE)
        _attach(grid, 0, _("Computer"), self._computers)
        for row, (name, text) in enumerate(FACTS.items(), 1):
            self._facts[name].get_accessible().set_name(_(text))
            _attach(grid, row, _(text), self._facts[name])
        buttons = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACE)
        for button in self._actions.values():
            buttons.pack_start(button, False, False, 0)
        area = self.get_content_area()
        area.set_border_width(2 * SPACE)
        area.set_spacing(SPACE)
        for widget, grows in ((grid, True), (self._line, False), (self._bar, False)):
            area.pack_start(widget, grows, grows, 0)
        area.pack_start(buttons, False, False, 0)

    @staticmethod
    def _button(label: str, pressed: Callable[[], None]) -> Any:
        button = Gtk.Button.new_with_mnemonic(label)
        button.connect("clicked", lambda _button: pressed())
        return button

    def _show_work(self, networks: dict[str, str], device: str, why_no_gpu: str) -> None:
        self._facts["networks"].set_text(", ".join(dict.fromkeys(networks.values())))
        on = {"cpu": _("The processor."), "": ""}.get(device, device)
        self._facts["device"].set_text(f"{on} {in_own_language(why_no_gpu)}".strip())

    def _idle(self) -> None:
        self.rest()
        here = chosen_name() == HERE
        self._actions["restart"].set_sensitive(self._download is None)
        self._actions["folder"].set_sensitive(bool(self._folder) and here)
        self._actions["download"].set_sensitive(here or self._download is not None)
        self._actions["log"].set_sensitive(here)
        there = _("On the other computer.")
        self._facts["folder"].set_text(self._folder if here else there)
        self._facts["log"].set_text(str(log_file()) if here else there)

    def _other_computer(self) -> None:
        """Know nothing of the backend until it tells of itself."""
        for name in ("state", "networks", "device", "notes", "folder"):
            self._facts[name].set_text("")
        self._folder = ""
        self._moved()

    def _tell(self, sentence: str, fraction: float | None) -> None:
        self._line.set_text(sentence)
        if fraction is None:
            self._bar.pulse()
        else:
            self._bar.set_fraction(fraction)

    def _restart(self) -> None:
        self._actions["restart"].set_sensitive(False)
        self._facts["state"].set_text(_("Restarting."))
        self._ask("restart")

    def _show_log(self) -> None:
        window = Gtk.Dialog(title=_("Log of the backend"), transient_for=self, modal=True)
        window.set_default_size(760, 420)
        text = Gtk.TextView(editable=False, monospace=True, cursor_visible=False)
        text.get_accessible().set_name(_("Log"))
        text.get_buffer().set_text(_log())
        scrolled = Gtk.ScrolledWindow()
        scrolled.add(text)
        window.get_content_area().pack_start(scrolled, True, True, 0)
        window.add_button(_("_Close"), Gtk.ResponseType.CLOSE)
        window.connect("response", lambda *_response: window.destroy())
        window.show_all()
        end = text.get_buffer().get_end_iter()
        text.scroll_to_mark(text.get_buffer().create_mark(None, end, False), 0, False, 0, 0)

    def _open_folder(self) -> None:
        folder = Path(self._folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            show(self, folder)
        except (OSError, GLib.Error) as fault:
            text = fault.strerror if isinstance(fault, OSError) else fault.message
            self._line.set_text(_("{} cannot be shown: {}.").format(folder, text))

    def _download_pressed(self) -> None:
        if self._download is not None:
            self._download.stop()
            return
        try:
            self._download = Download(self._folder, self._tell, self._downloaded)
        except (NightFlashError, GLib.Error) as fault:
            self._line.set_text(getattr(fault, "message", str(fault)))
            return
        self._actions["download"].set_label(_("_Stop the download"))
        self._actions["restart"].set_sensitive(False)
        self.progress(_("Asking for the networks that suit this machine best."))

    def _downloaded(self, sentence: str, well: bool) -> None:
        self._download = None
        self._actions["download"].set_label(_("_Download networks"))
        self._idle()
        self._line.set_text(sentence)
        if well:
            self._renewed()
            self._ask("status")


def _attach(grid: Any, row: int, text: str, widget: Any) -> None:
    """A row of a heading and what is to be told."""
    heading = Gtk.Label(label=text, xalign=1, valign=Gtk.Align.START)
    heading.get_style_context().add_class("dim-label")
    grid.attach(heading, 0, row, 1, 1)
    grid.attach(widget, 1, row, 1, 1)


def _value() -> Any:
    label = Gtk.Label(xalign=0, wrap=True, selectable=True, hexpand=True)
    label.connect("notify::label", lambda label, _what: label.set_can_focus(bool(label.get_text())))
    label.set_can_focus(False)  # as long as there is nothing to read
    label.set_width_chars(40)
    label.set_max_width_chars(60)
    return label


def _log() -> str:
    """The end of the backend's log, and of what it printed while it crashed."""
    parts = []
    for path in (crash_file(), log_file()):
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            parts.append(f"{path}{os.linesep}" + "\n".join(text.splitlines()[-LOG_LINES:]))
    return "\n\n".join(parts) or _("There is no log yet.")
