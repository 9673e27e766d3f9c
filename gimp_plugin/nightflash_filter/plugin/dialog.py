"""The dialog: settings on the one side, a live preview on the other."""

from __future__ import annotations

from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("GimpUi", "3.0")
from gi.repository import GimpUi, GLib, Gtk  # noqa: E402
from nightflash.errors import Cancelled, NightFlashError  # noqa: E402
from nightflash.stages import START  # noqa: E402

from plugin import last_aim, window_size  # noqa: E402
from plugin.aiming import Aiming  # noqa: E402
from plugin.backend import backend  # noqa: E402
from plugin.backend_window import BackendWindow  # noqa: E402
from plugin.channel import add_channel  # noqa: E402
from plugin.column import Column  # noqa: E402
from plugin.conversation import Conversation, Listener  # noqa: E402
from plugin.filter import Made, output  # noqa: E402
from plugin.help import help_button  # noqa: E402
from plugin.layers import Source  # noqa: E402
from plugin.layout import beside  # noqa: E402
from plugin.outline import Outline  # noqa: E402
from plugin.pixels import scaled_down  # noqa: E402
from plugin.preview import Preview, Wishes  # noqa: E402
from plugin.replacing import require_place  # noqa: E402
from plugin.rows import in_a_row, without_letters  # noqa: E402
from plugin.soon import Soon  # noqa: E402
from plugin.status import Message, Progress, Status, lit, resting, title  # noqa: E402
from plugin.style import use_style  # noqa: E402
from plugin.texts import translated as _  # noqa: E402

DEBOUNCE = 25  # milliseconds from the last change of a setting to the request for a preview
LOOK_AGAIN = 300  # milliseconds until a preview is asked for again that can still get better
FIRST = 1600  # longer side of the photo as it is shown at once


class Dialog:
    """One showing of the dialog."""

    def __init__(self, procedure: Any, config: Any, source: Source, client: Any) -> None:
        GimpUi.init("nightflash")
        self._config, self._source = config, source
        self._aiming = Aiming(config, source)
        self._soon = Soon(self._request_preview)
        self._loop: Any = None
        self._outcome: Any = None
        self._asked: dict[str, Any] = {}  # what was rendered last
        self._outline = source.outline  # it was rendered with
        self._progress = Progress()
        self._stopped = self._stays = False
        self._why_no_gpu = ""
        self._region = (0, 0, *source.size)  # that a close-up was asked for
        self._lit = ""  # the sentence about the preview that is shown
        self._provisional = False  # whether the preview can still get better
        self._window = GimpUi.ProcedureDialog.new(procedure, config, title(source))
        self._build()
        self._window.connect("response", self._responded)
        self._window.connect("delete-event", lambda *_event: True)
        self._window.connect("close", self._escaped)
        self._window.connect("focus-in-event", self._came_back)
        config.connect("notify", self._setting_changed)
        self._converse(client)
        if (outline := self._aiming.outline()) != Outline():
            self._preview.take_up(outline)  # which asks for a preview
        else:
            self._request_preview()

    def run(self) -> Any:
        """Let the user choose, then render; gives what was `Made`.

        Raises:
            Cancelled: The user closed the dialog.
        """
        while True:
            if not self._window.run():
                raise Cancelled
            self._render()
            if self._stays or isinstance(self._outcome, NightFlashError):
                if self._provisional:  # the preview was left at a guess
                    self._request_preview()
                continue  # the settings are still there to be changed; a fault is shown
            if self._outcome is None:
                raise Cancelled
            if not self._is_there():
                continue
            return Made(self._outcome, self._asked | {"outline": self._outline})

    def close(self) -> None:
        """End the conversation and the window."""
        self._soon.stop()
        self._preview.end()
        self._conversation.end()
        self._backend.end()
        last_aim.remember(self._source, self._preview.outline)
        window_size.remember(self._window)
        self._window.destroy()

    def _converse(self, client: Any) -> None:
        heard = Listener(self._connected, self._progressed, self._answered, self._failed)
        self._conversation = Conversation(client, self._source.pixels(), heard)

    def _other_computer(self) -> None:
        """Have the work done by the one that was chosen; the old one may never answer."""
        self._conversation.end()
        if self._loop is not None:  # it has let this one in while a render went on
            self._stays = True
            self._end(None)
        self._message.hide()
        self._converse(backend())
        self._request_preview()

    def _build(self) -> None:
        without_letters(self._window)
        self._backend = BackendWindow(
            self._window, self._see_to, self._request_preview, self._other_computer
        )
        self._message = Message(self._backend.open)
        self._preview = Preview(
            scaled_down(self._source.pixels(), FIRST),
            self._source.size,
            Wishes(self._aimed, self._request_preview, self._request_close_up, self._keep),
            over=self._message,
            selection=self._aiming.selected,
        )
        self._preview.listen(self._window)
        self._status = Status(in_a_row(help_button(self._window), self._backend.button()))
        edits = self._source.night is not None
        self._column = Column(self._config, self._preview.history, edits)
        self._column.listen(self._window)
        parts = beside(self._source.note, self._preview, self._status, self._column)
        self._window.get_content_area().pack_start(parts, True, True, 0)
        window_size.fit(self._window)
        use_style(self._window)
        self._button(Gtk.ResponseType.HELP).hide()  # ours is elsewhere
        self._button(Gtk.ResponseType.OK).grab_focus()

    def _button(self, response: Any) -> Any:
        return self._window.get_widget_for_response(response)

    def _setting_changed(self, _config: Any, what: Any) -> None:
        if what.name in ("output", "quality", "preset"):
            self._rest()
            return
        self._message.hide()
        self._soon.ask(DEBOUNCE)

    def _aimed(self, place: tuple[float, float] | None) -> None:
        self._aiming.take(place)
        self._message.hide()
        self._status.say(_("Looking at what you aim at."), None)
        self._soon.ask(DEBOUNCE)  # also where a correction has changed and the point has not

    def _came_back(self, *_event: Any) -> bool:
        """See what was selected meanwhile."""
        if self._loop is None and self._aiming.select_anew():
            self._preview.aim_by_selection(self._aiming.selected)
            self._request_preview()
        return False

    def _see_to(self, errand: str) -> None:
        self._conversation.see_to(errand)
        if errand == "restart":
            self._request_preview()

    def _wanted(self) -> dict[str, Any]:
        return self._aiming.wanted(self._preview.corrections)

    def _request_preview(self) -> None:
        self._soon.stop()
        if self._loop is None:
            self._conversation.ask("preview", views=self._preview.views, **self._wanted())
            self._preview.show_busy(True)

    def _request_close_up(self) -> None:
        """Ask for what is seen in the pixels it is seen with; a guess is not worth them."""
        if self._loop is None and not self._provisional:
            look = self._preview.close_up
            if self._conversation.ask("close-up", **look, **self._wanted()):
                self._region = look["region"]
                self._preview.show_busy(True)

    def _keep(self) -> None:
        """Have the mask of the main object made, and then a channel of it."""
        if self._loop is None:
            self._conversation.see_to("mask", **self._wanted())

    def _render(self) -> None:
        """Render while the window goes on: its bar shows how far, its buttons stop it."""
        self._outcome = None
        self._progress.begin()
        self._stopped = self._stays = False
        self._message.hide()
        if not self._is_there():
            return
        self._loop = GLib.MainLoop()
        self._set_sensitive(False)
        self._button(Gtk.ResponseType.CANCEL).grab_focus()  # that of OK is going
        self._asked, self._outline = self._wanted(), self._preview.outline
        made = output(self._source, self._config)
        self._conversation.ask("render", output=made, **self._asked)
        self._loop.run()
        self._loop = None
        self._set_sensitive(True)
        self._button(Gtk.ResponseType.OK).grab_focus()
        self._rest()

    def _is_there(self) -> bool:
        """Whether the photo still is: other things went on in GIMP; else it is said."""
        try:
            require_place(self._source)
        except NightFlashError as fault:
            self._failed("render", fault)
            return False
        return True

    def _set_sensitive(self, sensitive: bool) -> None:
        self._column.set_sensitive(sensitive)
        self._backend.allow_computers(sensitive)
        self._preview.set_sensitive(sensitive)
        self._window.set_response_sensitive(Gtk.ResponseType.OK, sensitive)

    def _responded(self, _window: Any, response: int) -> None:
        stops = (Gtk.ResponseType.CANCEL, Gtk.ResponseType.DELETE_EVENT)
        if self._loop is not None and response in stops:
            self._stopped = True  # also where the result is on its way already
            self._stays = response == Gtk.ResponseType.CANCEL
            self._status.say(_("Stopping."))
            self._conversation.cancel()

    def _escaped(self, window: Any) -> None:
        """Escape is Cancel: it stops a render, and the dialog stays; else it closes the dialog."""
        if self._loop is not None:
            window.stop_emission_by_name("close")
            self._responded(window, Gtk.ResponseType.CANCEL)

    def _rest(self) -> None:
        """Say what the preview shows; nothing is being done that the user waits for."""
        best = self._config.get_property("quality") == "best"
        unrefined = best and self._preview.at_full_size
        self._status.say(resting(self._lit, self._provisional, unrefined))
        self._backend.rest()

    def _connected(self, about: dict[str, Any]) -> None:
        self._why_no_gpu = about.get("device_note", "")
        self._backend.show_state(about)
        if not self._lit:
            self._status.say(_("Looking at the photo."), None)
        elif self._loop is None:
            self._rest()

    def _progressed(self, stage: str, fraction: float, sentence: str) -> None:
        whole = self._loop is not None
        text = self._progress.sentence(stage, fraction, sentence, whole=whole)
        self._status.say(text, None if stage == START else fraction)
        self._backend.progress(text)

    def _answered(self, kind: str, answer: Any) -> None:
        if kind == "render":
            self._end(None if self._stopped else answer.pictures)
            return
        self._preview.show_busy(False)
        if kind == "mask":
            add_channel(self._source, answer)
            self._status.say(_("The main object is a channel now."))
            return
        if kind == "close-up":
            self._preview.show_close_up(self._region, *answer.pictures)
            self._rest()
            return
        self._preview.show_pictures(*answer.pictures)
        self._backend.show_work(answer.header, self._why_no_gpu)
        if self._backend.get_visible():
            self._conversation.see_to("status")
        self._message.make_way()
        self._lit = lit(answer.header)
        self._provisional = answer.header.get("provisional", False)
        if self._loop is None:
            self._rest()
            if not self._provisional:
                self._request_close_up()
            elif not self._soon.waits:
                self._soon.ask(LOOK_AGAIN)

    def _failed(self, kind: str, fault: NightFlashError | None) -> None:
        self._preview.show_busy(False)
        if fault is not None:
            self._message.show_fault(str(fault), stays=kind == "render")
            self._backend.fail(fault)
            self._rest()
        if kind == "render":
            self._end(fault)

    def _end(self, outcome: Any) -> None:
        self._outcome = outcome
        if self._loop is not None:
            self._loop.quit()
