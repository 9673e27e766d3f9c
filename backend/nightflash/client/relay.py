"""``python -m nightflash.client.relay [REMOTE]``: carries a plug-in's pipes to a backend.

That is this machine's, or the remote named. For a GIMP whose Python has no pyzmq: this process has
one. `pipe_link.PipeLink` is the other end.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import BinaryIO

import zmq

from nightflash.client.connection import Connection
from nightflash.client.frames import read_frames, write_frames
from nightflash.client.link import BackendLost
from nightflash.client.protocol import VERSION, Message, error_reply
from nightflash.client.remotes import remote_named
from nightflash.client.zmq_link import ZmqLink
from nightflash.errors import NightFlashError

PATIENCE = 60.0  # seconds; the other end is the one to say that a backend hangs
BEAT = Message({"v": VERSION, "id": None, "reply": "beat"})


class Relay(ZmqLink):
    """A link whose messages come in and go out by pipes.

    Args:
        connection: Of the backend.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, PATIENCE)
        self._inlet = self._context.socket(zmq.PAIR)
        self._inlet.bind("inproc://inlet")
        self._poller.register(self._inlet, zmq.POLLIN)

    def carry(self, source: BinaryIO, out: BinaryIO) -> None:
        """Carry messages until one of the three ends has gone.

        Raises:
            BackendLost: The backend has.
            OSError: Nobody reads ``out`` any more.
        """
        threading.Thread(target=self._read, args=(source,), daemon=True).start()
        while True:
            alive, frames = self._arrived(1.0)
            if alive:
                write_frames(out, BEAT.frames() if frames is None else frames)

    def _ready(self, seconds: float) -> dict[object, int]:
        ready = super()._ready(seconds)
        if self._inlet in ready:
            frames = self._inlet.recv_multipart(copy=False)
            if not frames[0].bytes:
                raise BrokenPipeError
            self._send_frames([frame.buffer for frame in frames])
        return ready

    def _read(self, source: BinaryIO) -> None:
        """In a thread of its own, as a pipe cannot be polled on all systems."""
        with self._context.socket(zmq.PAIR) as outlet:
            outlet.connect("inproc://inlet")
            with contextlib.suppress(NightFlashError, OSError):
                while (frames := read_frames(source)) is not None:
                    outlet.send_multipart(frames, copy=False)
            outlet.send(b"")


def main() -> None:
    """Relay between standard input and output and the backend."""
    out = sys.stdout.buffer
    sys.stdout = sys.stderr  # what anybody prints must not get between the messages
    with contextlib.suppress(BackendLost, OSError):
        found = remote_named(sys.argv[1]).connection() if sys.argv[1:] else Connection.read()
        if found is None:
            return
        write_frames(out, BEAT.frames())
        try:
            with contextlib.closing(Relay(found)) as relay:
                if relay.arrives():
                    write_frames(out, BEAT.frames())
                    relay.carry(sys.stdin.buffer, out)
        except BackendLost:
            raise
        except NightFlashError as fault:
            header = {"v": VERSION, "id": None, **error_reply(fault).header}
            write_frames(out, Message(header).frames())


if __name__ == "__main__":
    main()
