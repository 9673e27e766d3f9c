"""The choice of the computer that does the work: this one, or a remote of the user's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import GLib, Gtk, Pango  # noqa: E402
from nightflash.client.remotes import Remote, forget, remotes  # noqa: E402
from nightflash.errors import NightFlashError  # noqa: E402

from plugin.backend import HERE, chosen_name, in_words, keep_computer  # noqa: E402
from plugin.command import Command  # noqa: E402
from plugin.rows import SPACE, name_choice  # noqa: E402
from plugin.texts import translated as _  # noqa: E402

WIDTH = 60  # letters of a line that is told
NAME = 16  # letters of a computer that are seen at the least


class Computers(Gtk.Box):
    """Offers the computers there are, and adds, tests and removes others.

    Args:
        used: Called where another one is to do the work.
    """

    def __init__(self, used: Callable[[], Any]) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=SPACE // 2)
        self._used = used
        self._command: Command | None = None
        self.choice = Gtk.ComboBoxText()
        for cell in self.choice.get_cells():
            cell.set_property("ellipsize", Pango.EllipsizeMode.END)
            cell.set_property("width-chars", NAME)
        self._choosing = self.choice.connect("changed", lambda c: self._take(c.get_active_id()))
        name_choice(self.choice, _("Computer"))
        self._row = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACE)
        self._row.pack_start(self.choice, True, True, 0)
        self._said = Gtk.Label(xalign=0, wrap=True, selectable=True, can_focus=False)
        self._said.set_max_width_chars(WIDTH)
        self.pack_start(self._row, False, False, 0)
        self.pack_start(self._said, False, False, 0)
        self._add = self._button(_("_Add…"), self._ask_for_code)
        self._test = self._button(_("_Test"), self._try)
        self._remove = self._button(_("Re_move"), self._ask_to_forget)
        self._add.set_tooltip_text(
            _("Takes the code that 'nightflash remote invite' prints on the other computer.")
        )
        self._read(name if (name := chosen_name()) in _known() else HERE)

    def end(self) -> None:
        """Stop what is under way."""
        if self._command is not None:
            self._command.stop()

    def _button(self, label: str, pressed: Callable[[], None]) -> Any:
        button = Gtk.Button.new_with_mnemonic(label)
        button.connect("clicked", lambda _button: pressed())
        self._row.pack_start(button, False, False, 0)
        return button

    def _read(self, name: str) -> None:
        """Offer what there is, with this one chosen."""
        with self.choice.handler_block(self._choosing):
            self.choice.remove_all()
            self.choice.append(HERE, _("This computer"))
            for remote in _known().values():
                place = remote.address.removeprefix("tcp://")
                self.choice.append(remote.name, f"{remote.name} ({place})")
            self.choice.set_active_id(name)
        self._refresh()

    def _refresh(self) -> None:
        idle, far = self._command is None, self.choice.get_active_id() != HERE
        self.choice.set_sensitive(idle)
        for button, usable in ((self._add, True), (self._test, far), (self._remove, far)):
            button.set_sensitive(idle and usable)

    def _take(self, name: str) -> None:
        keep_computer(name)
        self._said.set_text("")
        self._refresh()
        self._used()

    def _run(self, saying: str, words: list[str], typed: str, done: Callable[[str], str]) -> None:
        """Have a command run; what ``done`` makes of its output is shown, or the fault."""

        def ended(outcome: str | NightFlashError) -> None:
            self._command = None
            self._refresh()
            self._said.set_text(done(outcome) if isinstance(outcome, str) else str(outcome))

        try:
            self._command = Command(words, typed, ended)
        except (NightFlashError, GLib.Error) as fault:
            self._said.set_text(getattr(fault, "message", str(fault)))
            return
        self._refresh()
        self._said.set_text(saying)

    def _ask_for_code(self) -> None:
        code, name = self._answers(_("Add a computer"), _("Invitation code"), _("Name (optional)"))
        if not code:
            return
        words = ["remote", "add", "-", *([f"--name={name}"] if name else [])]
        before = _known()

        def done(_printed: str) -> str:
            (new, *_others) = [name for name in _known() if name not in before] or [HERE]
            self._read(new)
            self._take(new)
            return _("{} lets this computer in.").format(new)

        self._run(_("Asking the other computer to let this one in."), words, f"{code}\n", done)

    def _try(self) -> None:
        name = self.choice.get_active_id()

        def done(printed: str) -> str:
            found = json.loads(printed)
            speed = found["milliseconds"], found["megabits"]
            return _("{} answers in {} ms and passes {} Mbit/s.").format(name, *speed)

        words = ["remote", "test", name, "--json"]
        self._run(_("Trying the line to {}.").format(name), words, "", done)

    def _ask_to_forget(self) -> None:
        name = self.choice.get_active_id()
        window = Gtk.MessageDialog(
            transient_for=self.get_toplevel(),
            modal=True,
            message_type=Gtk.MessageType.QUESTION,
            buttons=Gtk.ButtonsType.OK_CANCEL,
            text=_("Forget {} and the key that it lets this computer in with?").format(name),
        )
        window.set_default_response(Gtk.ResponseType.OK)
        agreed = window.run() == Gtk.ResponseType.OK
        window.destroy()
        if agreed:
            self._forget(name)

    def _forget(self, name: str) -> None:
        try:
            forget(name)
        except NightFlashError as fault:
            self._said.set_text(str(in_words(fault)))
        self._read(HERE)
        self._take(HERE)

    def _answers(self, title: str, *questions: str) -> list[str]:
        """What the user types into a window with these questions; empty texts where nothing."""
        window = Gtk.Dialog(title=title, transient_for=self.get_toplevel(), modal=True)
        window.add_buttons(*(_("Cancel"), Gtk.ResponseType.CANCEL, _("Add"), Gtk.ResponseType.OK))
        window.set_default_response(Gtk.ResponseType.OK)
        grid = Gtk.Grid(column_spacing=SPACE, row_spacing=SPACE, border_width=SPACE)
        entries = [Gtk.Entry(activates_default=True, width_chars=50) for _question in questions]
        for row, (question, entry) in enumerate(zip(questions, entries, strict=True)):
            entry.get_accessible().set_name(question)
            grid.attach(Gtk.Label(label=question, xalign=1), 0, row, 1, 1)
            grid.attach(entry, 1, row, 1, 1)
        window.get_content_area().add(grid)
        window.show_all()
        agreed = window.run() == Gtk.ResponseType.OK
        answers = [entry.get_text().strip() if agreed else "" for entry in entries]
        window.destroy()
        return answers


def _known() -> dict[str, Remote]:
    """The remotes; none where their file is no good, which is told where one is used."""
    try:
        return remotes()
    except NightFlashError:
        return {}
