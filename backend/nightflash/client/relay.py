"""``python -m nightflash.client.relay``: carries a plug-in's pipes to the backend.

For a GIMP whose Python has no pyzmq: this process has one. `pipe.PipeClient` is the other end.
"""

from __future__ import annotations

import queue
import sys
import threading
from typing import BinaryIO

from nightflash.client.client import DIALOG_SILENCE, Client
from nightflash.client.frames import read_message, write_message
from nightflash.client.protocol import Message, Pixels, error_reply
from nightflash.errors import Cancelled, NightFlashError


class Relay:
    """Does what comes in, in order; what stops it comes in beside.

    Args:
        client: Of the backend.
        out: Where the answers go.
    """

    def __init__(self, client: Client, out: BinaryIO) -> None:
        self._client, self._out = client, out
        self._kept: dict[int, Pixels] = {}
        self._cancel = threading.Event()
        self._waiting: queue.SimpleQueue[Message | None] = queue.SimpleQueue()

    def run(self, source: BinaryIO) -> None:
        """Read until the other end has gone."""
        worker = threading.Thread(target=self._work, daemon=True)
        worker.start()
        while (message := read_message(source)) is not None:
            if message.header["do"] == "cancel":
                self._cancel.set()
            else:
                self._waiting.put(message)
        self._cancel.set()
        self._waiting.put(None)
        worker.join(5)

    def _work(self) -> None:
        while (message := self._waiting.get()) is not None:
            self._cancel.clear()
            try:
                answer = self._done(message)
            except Cancelled:
                answer = error_reply(NightFlashError("The work was stopped.", code="cancelled"))
            except NightFlashError as fault:
                answer = error_reply(fault)
            try:
                write_message(self._out, answer)
            except OSError:
                return

    def _done(self, message: Message) -> Message:
        header = message.header
        match header["do"]:
            case "connect":
                return Message(self._client.connect(self._tell, self._cancel))
            case "restart":
                return Message(self._client.restart(self._tell, self._cancel))
            case "ask":
                return Message(self._client.ask(header["request"]))
            case "keep":
                self._kept[header["key"]] = message.pictures[0]
                return Message({})
            case "forget":
                if (pixels := self._kept.pop(header["key"], None)) is not None:
                    self._client.forget(pixels)
                return Message({})
            case _:
                mask = header["mask"]
                return self._client.work(
                    header["request"],
                    self._kept[header["photo"]],
                    mask=None if mask is None else self._kept[mask],
                    tell=self._tell,
                    cancel=self._cancel,
                    retry=header["retry"],
                    **header["fields"],
                )

    def _tell(self, stage: str, fraction: float, sentence: str) -> None:
        told = {"reply": "progress", "stage": stage, "fraction": fraction, "message": sentence}
        write_message(self._out, Message(told))


def main() -> None:
    """Relay between standard input and output and the backend."""
    out = sys.stdout.buffer
    sys.stdout = sys.stderr  # what anybody prints must not get between the messages
    with Client(silence=DIALOG_SILENCE, replaces=True) as client:
        Relay(client, out).run(sys.stdin.buffer)


if __name__ == "__main__":
    main()
