"""Workers that make no nights, for tests of the pool: processes that start quickly."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

from nightflash.batch.order import Order, Tools
from nightflash.batch.worker import READY
from nightflash.errors import NightFlashError


def willing(wire: Connection, tools: Tools, threads: int) -> None:
    """Answers each order; the name of a photo tells what happens on the way.

    ``killed`` dies whenever it is begun, ``once`` the first time.
    """
    wire.send(READY)
    while (order := _next(wire)) is not None:
        begun = Path(order.out)
        if "killed" in order.photo or ("once" in order.photo and not begun.exists()):
            begun.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        wire.send({"photo": order.photo, "out": order.out, "pid": os.getpid()})


def hurried(wire: Connection, tools: Tools, threads: int) -> None:
    """Dies while it reads the networks."""
    os.kill(os.getpid(), signal.SIGKILL)


def without_networks(wire: Connection, tools: Tools, threads: int) -> None:
    """Has no networks."""
    wire.send(NightFlashError("The networks are missing.", code="networks_missing"))


def busy(wire: Connection, tools: Tools, threads: int) -> None:
    """Never answers."""
    wire.send(READY)
    time.sleep(60)


def _next(wire: Connection) -> Order | None:
    order: Order | None = wire.recv()
    return order
