"""A quick network answers as long as a slow one looks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from nightflash import Aim, Engine, NightFlashError, Photo, Settings
from nightflash.engine.finder import MOST_LOOKS, Finder
from nightflash.engine.working import Working
from nightflash.errors import Cancelled
from nightflash.models import registry
from nightflash.models.descriptor import MainObject, NetworkDescriptor, SubjectNetwork
from nightflash.models.registry import NETWORKS
from torch import Tensor

CPU = torch.device("cpu")
QUICK = Settings(quality="preview")


@dataclass
class Slow:
    """Finds the left half, when it is let."""

    may: threading.Event = field(default_factory=threading.Event)
    asked: int = 0
    fault: Exception | None = None

    def main_object(self, rgb: Tensor) -> MainObject:
        self.asked += 1
        assert self.may.wait(30)
        if self.fault is not None:
            raise self.fault
        mask = torch.zeros(100, 100)
        mask[:, :50] = 1
        return MainObject(mask, clear=True)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    network = Slow()
    made: NetworkDescriptor[SubjectNetwork] = NetworkDescriptor(
        "thorough", "subject", "official", "Thorough", "MIT", "made up", lambda *_: network,
        slow=True,
    )  # fmt: skip
    monkeypatch.setitem(NETWORKS._by_name, "thorough", made)
    monkeypatch.setattr(registry, "_loaded", {})
    yield network
    network.may.set()


@pytest.fixture
def photo() -> Photo:
    pixels = np.full((60, 90, 3), 60, np.uint8)
    pixels[20:50, 55:80] = 220
    return Photo.from_encoded(pixels)


def test_previews_do_not_wait_and_get_better(slow: Slow, photo: Photo) -> None:
    engine = Engine("auto,thorough", device="cpu")
    assert engine.networks["subject"] == "thorough"
    working = Working.of(photo, 0.25)
    first = engine.preview(working, QUICK)
    assert first.provisional
    brighter = engine.preview(working, replace(QUICK, flash_ev=1.0))
    assert brighter.provisional
    assert brighter.scene is first.scene  # sliders do not look anew
    slow.may.set()
    night = engine.render(photo, QUICK)
    last = engine.preview(working, QUICK)
    assert not last.provisional
    assert torch.equal(last.scene.subject, night.scene.subject)
    assert float(last.scene.subject[:, :40].mean()) > 0.95
    assert float(first.scene.subject[:, :40].mean()) < 0.5
    assert slow.asked == 1


def test_a_mask_drawn_asks_no_network(slow: Slow, photo: Photo) -> None:
    engine = Engine("auto,thorough", device="cpu")
    mask = np.zeros((60, 90), np.float32)
    mask[20:50, 55:80] = np.linspace(0.2, 1, 25, dtype=np.float32)
    assert not engine.preview(Working.of(photo, 0.25), QUICK, Aim(mask=mask)).provisional
    engine.render(photo, QUICK, Aim(mask=mask))
    assert slow.asked == 0


def test_a_render_can_be_stopped_while_it_looks(slow: Slow, photo: Photo) -> None:
    engine = Engine("auto,thorough", device="cpu")
    asked = 0

    def stop() -> None:
        nonlocal asked
        asked += 1
        if asked > 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        engine.render(photo, QUICK, checkpoint=stop)
    slow.may.set()
    assert engine.render(photo, QUICK).report.subject_from == "the main object"


def test_its_fault_is_told_and_the_next_try_looks_again(slow: Slow, photo: Photo) -> None:
    slow.fault = NightFlashError("It is broken.", code="networks_corrupt")
    engine = Engine("auto,thorough", device="cpu")
    working = Working.of(photo, 0.25)
    assert engine.preview(working, QUICK).provisional
    slow.may.set()
    for _ in range(2):
        with pytest.raises(NightFlashError, match="It is broken"):
            engine.render(photo, QUICK)
    slow.fault = None
    assert engine.render(photo, QUICK).report.subject_from == "the main object"
    assert not engine.preview(working, QUICK).provisional


def test_where_its_memory_does_not_suffice_the_quick_one_does_it(slow: Slow, photo: Photo) -> None:
    slow.fault = MemoryError()
    slow.may.set()
    engine = Engine("auto,thorough", device="cpu")
    night = engine.render(photo, QUICK)
    builtin = Engine("builtin", device="cpu").render(photo, QUICK)
    assert torch.equal(night.scene.subject, builtin.scene.subject)


def test_a_photo_too_large_for_the_cache_is_looked_at_once(slow: Slow, photo: Photo) -> None:
    engine = Engine("auto,thorough", device="cpu", cache_bytes=1)
    working = Working.of(photo, 0.25)
    for _ in range(3):
        assert engine.preview(working, QUICK).provisional
    slow.may.set()
    engine.render(photo, QUICK)
    assert not engine.preview(working, QUICK).provisional
    assert slow.asked == 1


def test_photos_that_were_left_do_not_hold_up_the_one_that_is_shown(slow: Slow) -> None:
    finder = Finder(NETWORKS["thorough"], Path(), CPU)
    encoded = torch.rand(3, 64, 96)
    looks = [finder.start(number, encoded) for number in range(2 * MOST_LOOKS)]
    slow.may.set()
    assert looks[-1].result(30).clear
    assert sum(look.cancelled() for look in looks) == len(looks) - 2  # the first one had begun
    assert slow.asked == 2
    finder.find(3, encoded, lambda: None)  # one of those cancelled
    assert slow.asked == 3


def test_memory_given_back_forgets_what_waits(slow: Slow, photo: Photo) -> None:
    engine = Engine("auto,thorough", device="cpu")
    working = Working.of(photo, 0.25)
    assert engine.preview(working, QUICK).provisional
    engine.release()
    slow.may.set()
    assert engine.preview(working, QUICK).provisional
    engine.render(photo, QUICK)
    assert not engine.preview(working, QUICK).provisional


def test_a_quick_network_is_asked_once_and_never_provisional(tmp_path: Path) -> None:
    finder = Finder(NETWORKS["scene_net_subject"], tmp_path, CPU)
    finder.load()
    encoded = torch.rand(3, 64, 96)
    main, provisional = finder.glance("photo", encoded)
    assert not provisional
    assert finder.find("photo", encoded, lambda: None) is main
