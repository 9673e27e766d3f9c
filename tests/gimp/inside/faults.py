"""Everything that can go wrong on the way to the backend, one fault after the other."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cases
from gi.repository import Gimp
from scene import PLAIN, Refused, add_photo, adds_night, make_image, night, raw, refuses

PLUGIN = Path(Gimp.directory()) / "plug-ins" / "nightflash_filter"
RECORD = PLUGIN / "install.json"
CONNECTION = Path(os.environ["NIGHTFLASH_RUNTIME_DIR"]) / "connection.json"
LONG = {"quality": "best", "content": 20.0, "steps": 1000, "working-size": 1.0, "grain-off": True}

image = make_image()
photo = add_photo(image)
other = add_photo(image, name="other")
image.select_ellipse(Gimp.ChannelOps.REPLACE, 20, 10, 30, 30)


@contextlib.contextmanager
def installed(*command: str, **facts: str) -> Iterator[None]:
    """The plug-in with another command that starts its backend, and other facts noted."""
    kept = RECORD.read_text(encoding="utf-8")
    record = {**json.loads(kept), "command": command, **facts}
    RECORD.write_text(json.dumps(record), encoding="utf-8")
    try:
        yield
    finally:
        RECORD.write_text(kept, encoding="utf-8")


@contextlib.contextmanager
def meanwhile(code: str) -> Iterator[None]:
    """The plug-in with something that the user does while the night is made."""
    module = PLUGIN / "plugin" / "filter.py"
    kept = module.read_text(encoding="utf-8")
    more = (
        "\n_waited = _render\n"
        "def _render(source, *rest):\n"
        "    made = _waited(source, *rest)\n"
        "    image, layer = source.image, source.layer\n"
        f"    {code}\n"
        "    return made\n"
    )
    module.write_text(kept + more, encoding="utf-8")
    try:
        yield
    finally:
        module.write_text(kept, encoding="utf-8")


def refused(*words: str, **settings: Any) -> None:
    """The filter refuses with these words."""
    sentence = refuses(image, photo, **{**PLAIN, **settings})
    assert all(word in sentence for word in words), sentence


def fails(of: Any, layer: Any, code: str, **settings: Any) -> str:
    """The sentence of a filter in the middle of which the user does something."""
    with meanwhile(code):
        try:
            night(of, layer, **PLAIN, **settings)
        except Refused as fault:
            return str(fault)
    raise AssertionError("it did not fail")


def plain(sentence: str, *words: str) -> None:
    """A sentence for people, with these words, and nothing of how GIMP is made inside."""
    assert all(word in sentence for word in words), sentence
    for word in ("NoneType", "procedure", "report it", "Error", "backend", "gimp-", "plug-in"):
        assert word not in sentence, sentence


def case_no_backend() -> None:
    with installed("no-such-program-anywhere", "serve"):
        refused("backend cannot be started", "install/gimp.sh")
    with installed("no-such-program-anywhere", "serve", installer="nightflash gimp install"):
        refused("backend cannot be started", "in a terminal: nightflash gimp install")


def case_backend_that_falls_over() -> None:
    with installed("sh", "-c", "echo no room on the device >&2; exit 3"):
        refused("no room on the device", "install/gimp.sh")


def case_copied_without_installer() -> None:
    kept = RECORD.read_text(encoding="utf-8")
    RECORD.unlink()
    try:
        refused("install/gimp.sh")
    finally:
        RECORD.write_text(kept, encoding="utf-8")


def case_without_pyzmq() -> None:
    package = PLUGIN / "site" / "zmq"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('no zmq here')\n", encoding="utf-8")
    try:
        refused("pyzmq", "install/gimp.sh")
    finally:
        shutil.rmtree(package.parent)


def case_starts_a_backend() -> None:
    assert not CONNECTION.exists()
    adds_night(image, photo, **PLAIN)
    assert CONNECTION.exists()


def case_layer_removed_meanwhile() -> None:
    for output in ("one", "parts"):
        another = make_image()
        lower, layer = add_photo(another, name="lower"), add_photo(another)
        plain(fails(another, layer, "image.remove_layer(layer)", output=output), "layer", "removed")
        assert [one.get_id() for one in another.get_layers()] == [lower.get_id()]


def case_layer_scaled_meanwhile() -> None:
    another = make_image()
    plain(fails(another, add_photo(another), "image.scale(48, 32)"), "size")
    assert len(another.get_layers()) == 1


def case_grey_meanwhile() -> None:
    another = make_image()
    plain(fails(another, add_photo(another), "image.convert_grayscale()"), "mode")
    assert len(another.get_layers()) == 1


def case_moved_meanwhile() -> None:
    """The night goes where the photo is now, above the newest night that is still there."""
    another = make_image()
    layer = add_photo(another)
    first = night(another, layer, **PLAIN)
    code = "layer.set_offsets(5, 9); image.remove_layer(image.get_layers()[0])"
    with meanwhile(code):
        second = night(another, first, **PLAIN)
    assert [one.get_id() for one in another.get_layers()] == [second.get_id(), layer.get_id()]
    assert second.get_offsets() == layer.get_offsets()


def case_gone_while_it_is_added() -> None:
    """Nothing half made stays."""
    another = make_image()
    layer = add_photo(another)
    late = (
        "import plugin.nights as nights; made_before = nights._new_layer; nights._new_layer = "
        "lambda *rest: (image.remove_layer(layer), made_before(*rest))[1]"
    )
    plain(fails(another, layer, late), "removed")
    assert not another.get_layers()


@contextlib.contextmanager
def standing_still() -> Iterator[None]:
    """The backend does not see meanwhile what becomes of its file, which it would mend."""
    pid = json.loads(CONNECTION.read_text(encoding="utf-8"))["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def case_backend_of_another_version() -> None:
    kept = CONNECTION.read_text(encoding="utf-8")
    with standing_still():
        CONNECTION.write_text(json.dumps({**json.loads(kept), "protocol": 99}), encoding="utf-8")
        try:
            refused("version", "Backend")
        finally:
            CONNECTION.write_text(kept, encoding="utf-8")


def case_backend_of_an_older_version() -> None:
    """It is there after an update, makes way, and its own photo's night is made by the new one."""
    command = json.loads(RECORD.read_text(encoding="utf-8"))["command"]
    words = command[command.index("nightflash") + 1 :]
    code = (
        "import nightflash; nightflash.__version__ = '0.0.9'; "
        f"from nightflash.cli import main; raise SystemExit(main({words!r}))"
    )
    os.kill(pid(), signal.SIGKILL)
    with installed(command[0], "-P", "-c", code):
        adds_night(image, photo, **PLAIN)
    older = json.loads(CONNECTION.read_text(encoding="utf-8"))
    assert older["version"] == "0.0.9"
    adds_night(image, photo, **PLAIN)
    newer = json.loads(CONNECTION.read_text(encoding="utf-8"))
    assert newer["version"] != older["version"]
    end = time.monotonic() + 10  # its lock goes before it does
    while seconds_at_work(older["pid"]):
        assert time.monotonic() < end, "it is still there"
        time.sleep(0.1)
    adds_night(image, photo, **PLAIN)
    assert pid() == newer["pid"]


def case_connection_open_to_others() -> None:
    with standing_still():
        CONNECTION.chmod(0o644)
        try:
            refused("open to other users")
        finally:
            CONNECTION.chmod(0o600)


def pid() -> int:
    try:
        return int(json.loads(CONNECTION.read_text(encoding="utf-8"))["pid"])
    except (OSError, ValueError, KeyError):
        return 0


def seconds_at_work(number: int) -> float:
    """Seconds that a process has computed."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kill(times: int, killed: list[int]) -> None:
    """Kill the backend whenever it has been at work on the call for a while."""
    since = {pid(): seconds_at_work(pid())}
    while len(killed) < times:
        number = pid()
        at_start = since.setdefault(number, 4.0)  # what its own start takes
        if number and number not in killed and seconds_at_work(number) - at_start > 1.0:
            os.kill(number, signal.SIGKILL)
            killed.append(number)
        time.sleep(0.02)


def killing(times: int) -> list[int]:
    killed: list[int] = []
    threading.Thread(target=kill, args=(times, killed), daemon=True).start()
    return killed


def large_photo() -> tuple[Any, Any]:
    """A photo whose refinement takes far longer than it is let."""
    size = (600, 400)
    large = make_image(size=size)
    return large, add_photo(large, size=size)


def case_killed_once() -> None:
    """A backend killed mid-render is started anew, and nobody notices."""
    large, layer = large_photo()
    killed = killing(1)
    adds_night(large, layer, **{**LONG, "steps": 40})
    assert len(killed) == 1, "it was through before it was killed"


def case_killed_again_and_again() -> None:
    """Tried once more, then said; the next call starts a new backend."""
    large, layer = large_photo()
    killed = killing(2)
    sentence = refuses(large, layer, **{**PLAIN, **LONG})
    assert "backend ended" in sentence, sentence
    assert len(killed) == 2
    new = adds_night(image, photo, **PLAIN)
    assert len(raw(new)) == len(raw(photo))


cases.run_all(globals())
