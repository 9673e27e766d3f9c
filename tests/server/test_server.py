"""A backend as a client sees it: the engine's pictures, in every format; errors in sentences."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import zmq
from nightflash import Aim, Cancelled, Engine, NightFlashError, Photo, Settings
from nightflash.aim import Click
from nightflash.client.client import Client
from nightflash.client.connection import Connection
from nightflash.client.protocol import MAX_FRAME, VERSION, Message, read_header

from tests.server.backend import Place, a_place, array, pixels, until

Day = npt.NDArray[np.uint8]
QUICK: dict[str, Any] = {"quality": "fast", "grain": None}
LONG: dict[str, Any] = {"quality": "best", "steps": 1000, "content": 20.0, "working_size": 0.25}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("builtin", device="cpu")


@pytest.fixture
def large() -> Day:
    """A photo whose refinement takes a while."""
    return np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)


class Raw:
    """A socket to the backend without a client around it."""

    def __init__(self, place: Place) -> None:
        found = Connection.read()
        assert found is not None
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(found.ipc)

    def send(self, header: dict[str, Any], *frames: Any) -> None:
        self.socket.send_multipart([*Message(header).frames(), *frames], copy=False)

    def reply(self, seconds: float = 10) -> dict[str, Any]:
        """The next reply that is no sign of life."""
        for _ in until(seconds):
            if self.socket.poll(50):
                header = read_header(self.socket.recv_multipart()[0])
                if header["reply"] != "beat":
                    return header
        raise AssertionError("no reply")

    def ask(self, header: dict[str, Any], *frames: Any) -> dict[str, Any]:
        self.send(header, *frames)
        return self.reply()


@pytest.fixture
def raw(place: Place, client: Client) -> Iterator[Raw]:
    client.connect()
    raw = Raw(place)
    yield raw
    raw.context.destroy(linger=0)


def test_a_render_is_the_engines(client: Client, engine: Engine, day: Day) -> None:
    settings = {**QUICK, "flash_ev": 0.5}
    answer = client.work("render", pixels(day), box=(30, 15, 40, 45), settings=settings)
    night = engine.render(Photo.from_encoded(day), Settings(**settings), Aim(box=(30, 15, 40, 45)))
    np.testing.assert_array_equal(array(answer.pictures[0]), night.photo.to_encoded())
    assert answer.header["subject"]["from"] == night.report.subject_from
    assert answer.header["subject"]["box"] == pytest.approx(night.report.subject_box, abs=0.01)
    assert answer.header["networks"] == engine.networks
    assert answer.header["notes"] == list(night.report.notes)


def test_the_mask_aims(client: Client, engine: Engine, day: Day) -> None:
    mask = np.zeros((64, 96), np.float32)
    mask[20:50, 10:40] = np.linspace(0, 1, 30)
    answer = client.work("render", pixels(day), mask=pixels(mask[..., None]), settings=QUICK)
    night = engine.render(Photo.from_encoded(day), Settings(**QUICK), Aim(mask=mask))
    np.testing.assert_array_equal(array(answer.pictures[0]), night.photo.to_encoded())
    assert answer.header["subject"]["from"] == "the mask drawn"


def test_corrections_are_the_engines(client: Client, engine: Engine, day: Day) -> None:
    strokes = np.zeros((32, 48, 2), np.uint8)
    strokes[5:10, 5:15] = 255, 255
    strokes[20:25, 5:15] = 0, 255
    aim = Aim(
        point=(40, 30),
        clicks=(Click(80, 10), Click(80, 50, adds=False)),
        strokes=(strokes[..., 0] / np.float32(127.5) - 1) * (strokes[..., 1] / np.float32(255)),
    )
    answer = client.work(
        *("render", pixels(day)),
        point=(40, 30),
        clicks=[("add", 80, 10), ("remove", 80, 50)],
        strokes=pixels(strokes),
        settings=QUICK,
    )
    night = engine.render(Photo.from_encoded(day), Settings(**QUICK), aim)
    np.testing.assert_array_equal(array(answer.pictures[0]), night.photo.to_encoded())
    plain = client.work("render", pixels(day), point=(40, 30), settings=QUICK)
    assert not np.array_equal(array(plain.pictures[0]), array(answer.pictures[0]))
    assert answer.header["subject"]["from"].endswith("corrected")


@pytest.mark.parametrize("kind", ["u8", "u16", "half", "float"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_neutral_light_gives_every_format_back(
    client: Client, day: Day, kind: str, channels: int
) -> None:
    alpha = np.linspace(0, 255, 96, dtype=np.uint8)[None, :, None].repeat(64, 0)
    given: npt.NDArray[Any] = np.concatenate((day, alpha), -1)
    given = given[..., {1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]]
    given = {
        "u8": lambda: given,
        "u16": lambda: given.astype(np.uint16) * 257,
        "half": lambda: (given / 255).astype(np.float16),
        "float": lambda: (given / 200).astype(np.float32),  # some above 1
    }[kind]()
    if kind in ("half", "float") and channels in (2, 4):
        given[..., -1] = np.clip(given[..., -1], 0, 1)
    settings = {"ambient": 0, "flash": False, "quality": "fast"}
    back = client.work("render", pixels(given), settings=settings).pictures[0]
    assert (back.layout.sample, back.layout.channels) == (kind, channels)
    np.testing.assert_array_equal(array(back), given)


def test_a_result_in_another_format_and_in_parts(client: Client, day: Day) -> None:
    photo = pixels(day)
    whole = client.work("render", photo, settings=QUICK, sample="float").pictures
    parts = client.work("render", photo, settings=QUICK, sample="float", output="parts").pictures
    assert [p.layout.sample for p in (*whole, *parts)] == ["float"] * 3
    np.testing.assert_allclose(array(parts[0]) + array(parts[1]), array(whole[0]), atol=1e-6)


def test_views(client: Client, engine: Engine, day: Day) -> None:
    photo = pixels(np.concatenate((day, np.full((64, 96, 1), 128, np.uint8)), -1))
    views = ["night", "day", "subject", "depth", "light"]
    answer = client.work("preview", photo, views=views, point=(48, 40))
    shapes = [(p.layout.width, p.layout.height, p.layout.channels) for p in answer.pictures]
    assert shapes == [(96, 64, 4), (96, 64, 4), (96, 64, 1), (96, 64, 1), (96, 64, 1)]
    night, back, subject, depth, light = map(array, answer.pictures)
    assert np.abs(back[..., :3].astype(int) - day).max() <= 1
    assert (back[..., 3] == 128).all()
    scene = engine.analyse(Photo.from_encoded(day), Settings(), Aim(point=(48, 40)))
    np.testing.assert_allclose(subject[..., 0], scene.subject * 255, atol=1)
    np.testing.assert_allclose(depth[..., 0], scene.inverse_depth.clamp(0, 1) * 255, atol=1)
    inside = subject[..., 0] > 200
    assert light[inside].mean() > 1.2 * light[~inside].mean()
    assert night[..., :3].mean() < day.mean()
    analysis = client.work("analyse", photo, point=(48, 40))
    np.testing.assert_array_equal(array(analysis.pictures[0]), subject)
    np.testing.assert_array_equal(array(analysis.pictures[1]), depth)


@pytest.mark.parametrize(
    ("work", "code", "sentence"),
    [
        ({"settings": {"ambient": 99}}, "bad_setting", "'ambient' cannot be 99"),
        ({"settings": {"ambience": 1}}, "bad_setting", "no setting named 'ambience'"),
        ({"settings": []}, "bad_request", "an object"),
        ({"box": (500, 500, 9, 9)}, "bad_aim", "outside the photo"),
        ({"point": (-1, 0)}, "bad_aim", "outside the photo"),
        ({"box": (1, 1, 9, 9), "point": (3, 3)}, "bad_aim", "not several"),
        ({"box": (1, 1, 9)}, "bad_request", "4 numbers"),
        ({"point": ("a", 1)}, "bad_request", "2 numbers"),
        ({"clicks": [("add", 500, 9)]}, "bad_aim", "outside the photo"),
        ({"clicks": [("swap", 5, 9)]}, "bad_request", "add, remove"),
        ({"clicks": [("add", 5)]}, "bad_request", "two numbers"),
        ({"clicks": [("add", 5, 9)] * 101}, "bad_request", "at most 100"),
        ({"strokes": pixels(np.zeros((9, 9, 1), np.uint8))}, "bad_aim", "grey and alpha"),
        ({"views": ["moon"]}, "bad_request", "views"),
        ({"sample": "double"}, "bad_request", "sample"),
        ({"output": 3}, "bad_request", "output"),
    ],
)
def test_bad_work_is_told_in_a_sentence(
    client: Client, day: Day, work: dict[str, Any], code: str, sentence: str
) -> None:
    with pytest.raises(NightFlashError, match=sentence) as caught:
        client.work("preview", pixels(day), **work)
    assert caught.value.code == code
    assert client.work("preview", pixels(day)).header["reply"] == "result"


def test_unknown_fields_are_ignored_and_unknown_requests_told(raw: Raw) -> None:
    assert raw.ask({"v": VERSION, "id": 5, "request": "hello", "new": [1]})["reply"] == "result"
    reply = raw.ask({"v": VERSION, "id": 6, "request": "dance"})
    assert (reply["id"], reply["code"]) == (6, "bad_request")
    assert raw.ask({"v": VERSION, "id": True, "request": "hello"})["code"] == "bad_request"
    assert raw.ask({"v": VERSION, "id": -1, "request": "hello"})["code"] == "bad_request"


def test_another_version_is_answered_with_both(raw: Raw) -> None:
    reply = raw.ask({"v": VERSION + 1, "id": 3, "request": "hello"})
    assert (reply["id"], reply["code"]) == (3, "wrong_version")
    assert f"version {VERSION} " in reply["sentence"]
    assert f"version {VERSION + 1}." in reply["sentence"]
    assert reply["remedy"]


def test_pixels_where_none_belong_are_refused(raw: Raw) -> None:
    layout = {"width": 2, "height": 2, "sample": "u8", "channels": 1}
    header = {"v": VERSION, "id": 1, "pixels": [layout]}
    assert raw.ask({**header, "request": "hello"}, b"1234")["code"] == "bad_request"
    assert raw.ask({**header, "request": "put"}, b"123")["code"] == "bad_request"
    assert raw.ask({**header, "request": "put", "pixels": []})["code"] == "bad_request"
    handle = raw.ask({**header, "request": "put"}, b"1234")["handle"]
    assert raw.ask({"v": VERSION, "id": 2, "request": "get", "handle": handle})["id"] == 2
    raw.ask({"v": VERSION, "id": 3, "request": "drop", "handle": handle})
    reply = raw.ask({"v": VERSION, "id": 4, "request": "get", "handle": handle})
    assert reply["code"] == "unknown_handle"


def test_a_frame_over_the_limit_ends_the_connection_and_nothing_else(
    raw: Raw, client: Client, day: Day
) -> None:
    layout = {"width": 2, "height": 2, "sample": "u8", "channels": 1}
    header = {"v": VERSION, "id": 1, "request": "put", "pixels": [layout]}
    raw.send(header, bytes(MAX_FRAME + 1))
    assert client.work("preview", pixels(day)).header["reply"] == "result"
    assert not raw.socket.poll(300)


def test_a_newer_preview_replaces_the_one_that_waits(
    client: Client, raw: Raw, day: Day, large: Day
) -> None:
    client.work("preview", pixels(day))  # the networks are there
    handle = {}
    larger = np.tile(large, (3, 3, 1))
    for name, picture in (("small", pixels(day)), ("large", pixels(larger))):
        layout = picture.layout
        header = {"v": VERSION, "id": 1, "request": "put", "pixels": [vars(layout)]}
        handle[name] = raw.ask(header, *picture.strips)["handle"]
    work = {"v": VERSION, "request": "preview"}
    slow = {"working_size": 2.0}
    raw.send({**work, "id": 10, "photo": handle["large"], "settings": slow})  # takes seconds
    time.sleep(0.5)  # it has begun; before, it would be replaced itself
    for number in range(11, 15):
        raw.send({**work, "id": number, "photo": handle["small"]})
    replies = {}
    for _ in range(5):
        reply = raw.reply(60)
        replies[reply["id"]] = reply.get("code", reply["reply"])
    assert replies[10] == replies[14] == "result"
    assert [replies[n] for n in (11, 12, 13)] == ["replaced"] * 3


def work_that_takes_long(client: Client, large: Day) -> tuple[threading.Thread, list[Any], Any]:
    """A render in a thread, once it refines; its outcome goes into the list."""
    refining, cancel, outcome = threading.Event(), threading.Event(), []

    def report_progress(stage: str, done: float, sentence: str) -> None:
        if stage == "refine":
            refining.set()

    def work() -> None:
        try:
            outcome.append(
                client.work(
                    "render",
                    pixels(large),
                    settings=LONG,
                    report_progress=report_progress,
                    cancel=cancel,
                )
            )
        except (Cancelled, NightFlashError) as end:
            outcome.append(end)

    thread = threading.Thread(target=work)
    thread.start()
    assert refining.wait(60)
    return thread, outcome, cancel


def test_cancelling_stops_the_work_and_leaves_the_backend_healthy(
    place: Place, large: Day, day: Day
) -> None:
    with place.client() as busy, place.client() as other:
        thread, outcome, cancel = work_that_takes_long(busy, large)
        assert other.ask("status")["jobs"] == 1
        assert other.work("preview", pixels(day)).header["reply"] == "result", "while it renders"
        cancel.set()
        thread.join(10)
        assert [type(end) for end in outcome] == [Cancelled]
        assert busy.work("render", pixels(day), settings=QUICK).header["reply"] == "result"
        assert other.ask("status")["jobs"] == 0


def test_a_client_that_went_away_leaves_nothing(place: Place, day: Day) -> None:
    with place.client() as watcher:
        with place.client() as client:
            client.work("preview", pixels(day))
            assert watcher.ask("status")["uploads"] >= 1
        assert any(watcher.ask("status")["uploads"] == 0 for _ in until(20))


def test_release_and_status(client: Client, day: Day) -> None:
    client.work("preview", pixels(day))
    assert client.ask("status")["state"] == "ready"
    client.ask("release")
    assert any(client.ask("status")["state"] == "released" for _ in until(10))
    assert client.work("preview", pixels(day)).header["reply"] == "result"
    state = client.ask("status")
    assert state["state"] == "ready"
    assert state["uptime"] > 0
    assert state["device"] == "cpu"


def test_a_forgotten_picture_is_sent_again(client: Client, raw: Raw, day: Day) -> None:
    photo = pixels(day)
    client.work("preview", photo)
    handle = client._sent[id(photo)][1]
    raw.ask({"v": VERSION, "id": 1, "request": "drop", "handle": handle})
    assert client.work("preview", photo).header["reply"] == "result"
    assert client._sent[id(photo)][1] != handle


def test_a_picture_that_is_too_large_is_refused() -> None:
    options = ("--networks", "builtin", "--device", "cpu", "--upload-memory", "1")
    with a_place(*options) as small, small.client() as client:
        with pytest.raises(NightFlashError, match="keeps at most 1 MB") as caught:
            client.work("preview", pixels(np.zeros((1000, 1000, 3), np.uint8)))
        assert caught.value.code == "too_large"
        assert client.work("preview", pixels(np.full((100, 100, 3), 99, np.uint8)))


def test_the_pulse_answers_while_the_backend_works(place: Place, large: Day) -> None:
    found = Connection.read()
    assert found is not None
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    pulse = context.socket(zmq.DEALER)
    pulse.connect(found.pulse_ipc)
    with place.client() as busy:
        thread, _, cancel = work_that_takes_long(busy, large)
        waits = []
        for _ in range(20):
            at = time.monotonic()
            pulse.send(b"x")
            assert pulse.poll(5000)
            assert pulse.recv() == b"x"
            waits.append(time.monotonic() - at)
        cancel.set()
        thread.join(10)
    context.destroy(linger=0)
    assert sorted(waits)[10] < 1
