"""A slow line: a proxy with a bandwidth each way, a delay, and an end that comes at any time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

CHUNK = 8192  # bytes that go at once
BURST = 0.05  # seconds of what was not used that may be made up for


class Line:
    """A port of this machine that leads to another one, slowly.

    Args:
        port: Where it leads.
        rate: Bytes a second each way, of all connections together.
        delay: Seconds each way.

    Attributes:
        port: Its own.
        up, down: Bytes that went to the server and from it.
        cut_after: Bytes up and down together after which all connections end, once; None for never.
        cuts: How often they have.
    """

    def __init__(self, port: int, rate: float = 1e9, delay: float = 0.0) -> None:
        self._server_port, self._rate, self._delay = port, rate, delay
        self.up = self.down = self.cuts = self.port = 0
        self.cut_after: int | None = None
        self._free = {"up": 0.0, "down": 0.0}  # when each way has room again
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(10)

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *fault: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """End all connections; new ones may come at once."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        self.cuts += 1
        for writer in self._writers:
            writer.transport.abort()

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()
        self._cut()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, back}
        self._writers |= both
        try:
            await asyncio.gather(self._way("up", reader, back), self._way("down", there, writer))
        finally:
            self._writers -= both
            for end in both:
                end.transport.abort()

    async def _way(
        self, way: str, source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        """What comes is sent on in its turn, and arrives after the delay."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)
        arriving = self._started(self._arrive(waiting, target))
        try:
            while data := await source.read(CHUNK):
                now = self._loop.time()
                self._free[way] = max(now - BURST, self._free[way]) + len(data) / self._rate
                await asyncio.sleep(self._free[way] - now)
                setattr(self, way, getattr(self, way) + len(data))
                await waiting.put((self._loop.time() + self._delay, data))
                if self.cut_after is not None and self.up + self.down > self.cut_after:
                    self.cut_after = None
                    self._cut()
        except OSError:
            pass
        finally:
            arriving.cancel()
            target.transport.abort()

    def _started(self, task: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        started = self._loop.create_task(task)
        self._tasks.add(started)
        started.add_done_callback(self._tasks.discard)
        return started

    async def _arrive(
        self, waiting: asyncio.Queue[tuple[float, bytes]], target: asyncio.StreamWriter
    ) -> None:
        try:
            while True:
                when, data = await waiting.get()
                await asyncio.sleep(when - self._loop.time())
                target.write(data)
                await target.drain()
        except OSError:
            pass
