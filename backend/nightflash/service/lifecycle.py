"""The backend's life: one for every user, begun with a lock and ended without a trace."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from nightflash.service.connection import Connection, log_file, make_private, runtime_folder

if TYPE_CHECKING:
    from nightflash.models.registry import Choice

log = logging.getLogger(__name__)

LOCK = "backend.lock"
LOG_BYTES = 2**20
LOG_FORMAT = "%(asctime)s %(process)d %(levelname)s %(message)s"


@dataclass(frozen=True)
class Service:
    """How to serve.

    Attributes:
        networks, weights, device: As for ``Engine``.
        release_after: Minutes without work after which the GPU's memory is given back.
        exit_after: Hours without a request after which the backend ends.
        upload_memory: MB for the pictures that clients send.
    """

    networks: Choice = "auto"
    weights: Path | None = None
    device: str = "auto"
    release_after: float = 10.0
    exit_after: float = 8.0
    upload_memory: float = 4096.0


def backend_runs() -> bool:
    """Whether a backend of this user holds the lock, be it answering or not."""
    path = runtime_folder() / LOCK
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True


def serve(service: Service, tell: Callable[[str], None]) -> int:
    """Serve until somebody stops it; gives the exit code.

    Where a backend of this user runs already, nothing is done and the exit code is 0.

    Args:
        service: How.
        tell: Takes a sentence for whoever started this.
    """
    folder = runtime_folder()
    os.umask(0o077)
    make_private(folder)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        found = Connection.read()
        which = f" (process {found.pid})" if found is not None else ""
        tell(f"A backend runs already{which}; this one is not needed.")
        return 0
    try:
        _start_log()
        _serve(service, tell)
    finally:
        lock.release()
    return 0


def _serve(service: Service, tell: Callable[[str], None]) -> None:
    # Seconds of imports that a second backend is spared.
    from nightflash.engine import Engine
    from nightflash.service.server import Server
    from nightflash.service.worker import Worker

    def engine(device: str) -> Engine:
        chosen = service.device if device == "auto" else device
        return Engine(service.networks, service.weights, chosen)

    Connection.path().unlink(missing_ok=True)  # of a process that died
    server = Server(
        lambda queue, reply: Worker(queue, engine, reply, service.release_after * 60),
        upload_bytes=int(service.upload_memory * 2**20),
        exit_after=service.exit_after * 3600,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: server.stop(signal.Signals(number).name))
    server.connection.write()
    log.info("serving at %s and %s", server.connection.ipc or "no ipc", server.connection.tcp)
    tell(f"The backend is ready for requests (process {os.getpid()}).")
    try:
        server.run()
    finally:
        Connection.path().unlink(missing_ok=True)
        log.info("ended")
        logging.shutdown()


def _start_log() -> None:
    log_file().parent.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [
        RotatingFileHandler(log_file(), maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
    ]
    if sys.stderr.isatty():
        handlers.append(logging.StreamHandler())
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, handlers=handlers, force=True)
    faulthandler.enable()
