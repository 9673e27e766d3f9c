"""A batch on Ray: its actors read and write files and make nights, its scheduler rules.

Back-pressure, retries, lost machines and autoscaling are Ray's. The report is kept by the process
that began the batch, so that a photo that is done twice on the cluster is in it once.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nightflash.batch.order import Entry, Order, Tools, failed
from nightflash.batch.places import fetch, store
from nightflash.errors import NightFlashError

MOST_BLOCKS = 1_000  # into which Ray divides the photos; each costs it some 100 ms
RETRIES = 3  # of a photo whose worker dies
PASSES = 3  # over what is lost nevertheless


@dataclass(frozen=True)
class Cluster:
    """Which cluster, and how much of it.

    Attributes:
        address: As ``ray.init`` takes it; empty for the one that is there, or this machine.
        workers: How many make nights; None lets Ray add them as there is room.
        cores, gpus: Of each worker; part of a GPU is shared.
    """

    address: str = ""
    workers: int | None = None
    cores: int = 1
    gpus: float = 0.0


def entries(orders: Sequence[Order], tools: Tools, cluster: Cluster) -> Iterator[Entry]:
    """Do orders on Ray; gives the line of each for the report as soon as it is done.

    What was in the hands of a node that dies, and of those whom Ray sends to it before it knows, is
    dropped by Ray after a few tries; it is ordered again.

    Raises:
        NightFlashError: Ray is not installed, or not reached, or gives up.
    """
    ray = _ray(cluster.address)
    missing = {order.out: order for order in orders}
    try:
        for _ in range(PASSES):
            if not missing:
                break
            for row in _nights(ray, list(missing.values()), tools, cluster).iter_rows():
                entry: Entry = json.loads(row["report"])
                if missing.pop(entry["out"], None) is not None:
                    yield entry
    except ray.exceptions.RayError as fault:
        raise NightFlashError(
            f"Ray has given up: {str(fault).strip().splitlines()[-1]}.",
            "Start again: what is done stays done.",
            code="no_backend",
        ) from fault
    for order in missing.values():
        yield failed(order, f"{order.photo} was lost on the cluster.")


def _nights(ray: Any, orders: Sequence[Order], tools: Tools, cluster: Cluster) -> Any:
    """The pipeline, as a dataset; nothing is done before its rows are asked for."""
    room = max(1, int(ray.cluster_resources().get("CPU", 1)) // cluster.cores)
    least, most = (cluster.workers, cluster.workers) if cluster.workers else (1, max(room, 1))
    from nightflash.batch.dataset import NightFlash  # not needed by tasks that wait for files

    again = {"max_restarts": -1, "max_task_retries": RETRIES}
    # Files are for actors, too: Ray ends a process of tasks that idles for a second beside as many
    # others as there are cores, and starts the next.
    pool = ray.data.ActorPoolStrategy(min_size=1, max_size=most)
    files = {"compute": pool, "num_cpus": 0, **again}
    items = ray.data.from_items(
        [{"order": order.as_json()} for order in orders],
        override_num_blocks=min(len(orders), MOST_BLOCKS),
    )
    nights = items.map(_Fetch, **files).map_batches(
        NightFlash,
        fn_constructor_kwargs={**asdict(tools), "threads": cluster.cores},
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(min_size=least, max_size=most),
        num_cpus=cluster.cores,
        num_gpus=cluster.gpus,
        **again,
    )
    return nights.map(_Store, **files)


class _Fetch:
    """Adds the bytes of a photo's file to an order, or why there are none."""

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        try:
            return {**row, "bytes": fetch(Order.of_json(row["order"]).photo), "fault": ""}
        except NightFlashError as fault:
            return {**row, "bytes": b"", "fault": str(fault)}


class _Store:
    """Writes a night where it belongs; what is left is the line of the report."""

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        order, report = Order.of_json(row["order"]), row["report"]
        try:
            if row["fault"]:
                raise NightFlashError(row["fault"])
            if row["night"]:
                store(order.out, row["night"])
        except NightFlashError as fault:
            report = json.dumps(failed(order, str(fault)))
        return {"report": report}


def _ray(address: str) -> Any:
    """Ray, connected."""
    try:
        import ray
        import ray.data
    except ImportError as fault:
        raise NightFlashError(
            "--on ray needs the package ray.",
            "Install it with: pip install 'nightflash[ray]'",
            code="bad_input",
        ) from fault
    if not ray.is_initialized():
        try:
            ray.init(address=address or None, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, ValueError, RuntimeError) as fault:
            raise NightFlashError(
                f"No cluster of Ray answers at {address or 'this machine'}: {fault}.",
                "See its address with: ray status",
                code="no_backend",
            ) from fault
    context = ray.data.DataContext.get_current()
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context.enable_progress_bars = False  # the batch has one
    context.max_errored_blocks = -1  # one bad photo never stops the rest
    return ray
