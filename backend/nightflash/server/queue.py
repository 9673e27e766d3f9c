"""What waits for the device: fair between clients, quick work before slow."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from nightflash.errors import NightFlashError
from nightflash.server.listeners import Peer
from nightflash.server.requests import Job

MOST_WAITING = 64  # jobs of one client


class JobQueue:
    """Jobs, taken by one worker, put and cancelled by another thread.

    Previews and analyses overtake renders; within each, clients take turns. A client's newer
    preview replaces its older one that still waits.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._quick: OrderedDict[Peer, deque[Job]] = OrderedDict()
        self._slow: OrderedDict[Peer, deque[Job]] = OrderedDict()
        self._running: list[Job] = []
        self._closed = False

    def __len__(self) -> int:
        """Jobs that wait or run."""
        with self._changed:
            return len(self._all())

    def put(self, job: Job) -> Job | None:
        """Let ``job`` wait; gives the preview that it replaces, if any, which nobody will run.

        Raises:
            NightFlashError: ``busy`` where the client has too many waiting, ``bad_request`` where
                it has a job of this number.
        """
        with self._changed:
            mine = [other for other in self._all() if other.client == job.client]
            if any(other.id == job.id for other in mine):
                raise NightFlashError(f"The request {job.id} is at work.", code="bad_request")
            replaced = self._older_preview(job)
            if replaced is None and len(mine) >= MOST_WAITING:
                raise NightFlashError(
                    f"The backend has {MOST_WAITING} requests of this client waiting.",
                    "Wait for some of them.",
                    code="busy",
                )
            if replaced is not None:  # in its place, or who moves a slider never gets a turn
                mine_quick = self._quick[job.client]
                mine_quick[mine_quick.index(replaced)] = job
            else:
                lane = self._slow if job.work.kind == "render" else self._quick
                lane.setdefault(job.client, deque()).append(job)
            self._changed.notify()
            return replaced

    def take(self, seconds: float | None = None) -> Job | None:
        """The next job, which runs until `done`; None after ``seconds`` or when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._quick or self._slow, seconds)
            return self._next(self._quick) or self._next(self._slow)

    def take_quick(self) -> Job | None:
        """The next job that need not wait for a slow one, or None."""
        with self._changed:
            return self._next(self._quick)

    def done(self, job: Job) -> None:
        """``job`` runs no longer."""
        with self._changed:
            self._running.remove(job)

    def cancel(self, client: Peer, number: int) -> Job | None:
        """Cancel a client's job; gives it where it was still waiting: nobody will run it."""
        with self._changed:
            for job in self._all():
                if job.client == client and job.id == number:
                    job.cancelled.set()
                    if job not in self._running:
                        self._remove(job)
                        return job
            return None

    def drop_all_of(self, gone: Callable[[Peer], bool]) -> int:
        """Cancel and forget the jobs of every client for whom ``gone`` is true; how many."""
        with self._changed:
            jobs = [job for job in self._all() if gone(job.client)]
            for job in jobs:
                job.cancelled.set()
                if job not in self._running:
                    self._remove(job)
            return len(jobs)

    def count_of(self, whose: Callable[[Peer], bool]) -> int:
        """How many jobs those clients have for whom ``whose`` is true."""
        with self._changed:
            return sum(whose(job.client) for job in self._all())

    def clients(self) -> set[Peer]:
        """Those with jobs."""
        with self._changed:
            return {job.client for job in self._all()}

    def close(self) -> list[Job]:
        """Cancel everything and take no more; gives the jobs that waited or ran."""
        with self._changed:
            jobs = self._all()
            for job in jobs:
                job.cancelled.set()
            self._quick.clear()
            self._slow.clear()
            self._closed = True
            self._changed.notify_all()
            return jobs

    @property
    def closed(self) -> bool:
        """Whether the queue takes no more."""
        return self._closed

    def _all(self) -> list[Job]:
        lanes = (*self._quick.values(), *self._slow.values())
        return [*self._running, *(job for jobs in lanes for job in jobs)]

    def _older_preview(self, job: Job) -> Job | None:
        if job.work.kind != "preview":
            return None
        waiting = self._quick.get(job.client, ())
        return next((other for other in waiting if other.work.kind == "preview"), None)

    def _next(self, lane: OrderedDict[Peer, deque[Job]]) -> Job | None:
        """The first client's oldest job; the client goes to the end of the line."""
        if self._closed or not lane:
            return None
        client, jobs = lane.popitem(last=False)
        job = jobs.popleft()
        if jobs:
            lane[client] = jobs
        self._running.append(job)
        return job

    def _remove(self, job: Job) -> None:
        for lane in (self._quick, self._slow):
            jobs = lane.get(job.client)
            if jobs is not None and job in jobs:
                jobs.remove(job)
                if not jobs:
                    del lane[job.client]
