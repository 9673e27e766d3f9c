"""What a batch on Ray does with what Ray loses; the cluster itself is in ``test_ray``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from nightflash.batch import cluster
from nightflash.batch.cluster import Cluster, entries
from nightflash.batch.order import Order, Tools, beginning

ORDERS = [Order(f"{name}.jpg", f"night/{name}.jpg") for name in "abcdef"]


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Photos of each pass over a cluster that makes the first half, rounded up, of what it gets."""
    seen: list[list[str]] = []

    def nights(ray: Any, orders: Sequence[Order], *rest: object) -> Any:
        seen.append([order.photo for order in orders])

        def rows() -> Iterator[dict[str, str]]:
            for order in orders[: -(-len(orders) // 2)]:
                for _ in range(2):  # a worker that died when it was done leaves its photo twice
                    yield {"report": json.dumps(beginning(order))}

        return SimpleNamespace(iter_rows=rows)

    no_ray = SimpleNamespace(exceptions=SimpleNamespace(RayError=KeyError))
    monkeypatch.setattr(cluster, "_ray", lambda address: no_ray)
    monkeypatch.setattr(cluster, "_nights", nights)
    return seen


def test_what_is_lost_is_ordered_again_and_nothing_twice(passes: list[list[str]]) -> None:
    found = list(entries(ORDERS, Tools(), Cluster()))
    assert [entry["photo"] for entry in found] == [order.photo for order in ORDERS]
    assert all("fault" not in entry for entry in found)
    assert [len(photos) for photos in passes] == [6, 3, 1]


def test_what_is_lost_each_time_is_a_fault(
    passes: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PASSES", 2)
    found = {entry["photo"]: entry.get("fault") for entry in entries(ORDERS, Tools(), Cluster())}
    assert found == dict.fromkeys(order.photo for order in ORDERS[:5]) | {
        "f.jpg": "f.jpg was lost on the cluster."
    }
