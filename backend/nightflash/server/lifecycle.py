"""The backend's life: one for every user, begun with a lock and ended without a trace."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path

import zmq
from filelock import FileLock, Timeout

from nightflash.client.connection import (
    RUNTIME_VARIABLE,
    STATE_VARIABLE,
    Connection,
    log_file,
    make_private,
    runtime_folder,
)
from nightflash.client.holder import Held, lock_file, running_pid
from nightflash.errors import NightFlashError

log = logging.getLogger(__name__)

LOCK_SECONDS = 1.0  # others look at the lock for an instant
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
        tcp: Whether a port is opened too, where there is a socket in a folder.
        listen: Where to listen for other machines, ``tcp://ADDRESS:PORT``, or nothing.
        remote_clients, remote_jobs, remote_memory: How many clients from other machines there may
            be, and what each of them may have: requests at work, and MB of pictures.
    """

    networks: str = "auto"
    weights: Path | None = None
    device: str = "auto"
    release_after: float = 10.0
    exit_after: float = 8.0
    upload_memory: float = 4096.0
    tcp: bool = False
    listen: str = ""
    remote_clients: int = 8
    remote_jobs: int = 8
    remote_memory: float = 1024.0


def serve(service: Service, report: Callable[[str], None]) -> int:
    """Serve until somebody stops it; gives the exit code.

    Where a backend of this user runs already, nothing is done and the exit code is 0.

    Args:
        service: How.
        report: Takes a sentence for whoever started this.

    Raises:
        NightFlashError: The folders, the device or the networks asked for do not serve.
    """
    os.umask(0o077)
    make_private(runtime_folder())
    lock = FileLock(lock_file())
    try:
        lock.acquire(timeout=LOCK_SECONDS)
        held = Held()
        Connection.path().unlink(missing_ok=True)  # of a process that died
        _start_log()
        ended = _serve(service, held, report)
    except Timeout:
        pid = running_pid()
        which = f" (process {pid})" if pid is not None else ""
        if service.listen:
            raise NightFlashError(
                f"A backend runs already{which}, and does not listen for others by this.",
                "Stop it with 'nightflash stop' and try again.",
                code="runs_already",
            ) from None
        report(f"A backend runs already{which}; this one is not needed.")
        return 0
    except (OSError, zmq.ZMQError) as error:
        raise NightFlashError(
            f"The backend cannot serve from {runtime_folder()} with its log in"
            f" {log_file().parent}: {error.strerror}.",
            f"Make room, or let {RUNTIME_VARIABLE} and {STATE_VARIABLE} name other folders.",
            code="start_failed",
        ) from error
    finally:
        lock.release()
    if not ended:
        os._exit(0)  # a thread inside a network would take the interpreter down while it ends
    return 0


def _serve(service: Service, held: Held, report: Callable[[str], None]) -> bool:
    """Serve; gives whether every thread and socket has ended."""
    # Seconds of imports that a second backend is spared.
    from nightflash.engine.engine import Engine
    from nightflash.server.reception import Elsewhere, Limits
    from nightflash.server.server import Server
    from nightflash.server.worker import Worker

    def engine(device: str) -> Engine:
        chosen = service.device if device == "auto" else device
        return Engine(service.networks, service.weights, chosen)

    engine("auto")  # a fault in the choice is raised at once
    _raise_file_limit()
    memory = int(service.remote_memory * 2**20)
    limits = Limits(service.remote_clients, service.remote_jobs, memory)
    server = Server(
        lambda queue, reply: Worker(queue, engine, reply, service.release_after * 60),
        upload_bytes=int(service.upload_memory * 2**20),
        exit_after=service.exit_after * 3600,
        still_held=held.still,
        tcp=service.tcp,
        elsewhere=Elsewhere(service.listen, limits) if service.listen else None,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: server.stop(signal.Signals(number).name))
    try:
        server.connection.write()
        where = filter(None, (server.connection.ipc, server.connection.tcp))
        log.info("serving at %s", " and ".join(where))
        report(f"The backend is ready for requests (process {os.getpid()}).")
        server.run()
    finally:
        held.close()
        log.info("ended")
        logging.shutdown()
    return server.ended


def _raise_file_limit() -> None:
    """Have as many files and connections as the system allows: ZeroMQ aborts without any left."""
    if sys.platform == "win32":
        return
    import resource

    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _start_log() -> None:
    log_file().parent.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [
        RotatingFileHandler(log_file(), maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
    ]
    if sys.stderr.isatty():
        handlers.append(logging.StreamHandler())
    logging.raiseExceptions = False  # a full disk stops no backend
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, handlers=handlers, force=True)
    faulthandler.enable()
