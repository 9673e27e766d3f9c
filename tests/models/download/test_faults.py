"""Downloads that cannot succeed: each ends with a sentence that says why, and leaves no harm."""

from __future__ import annotations

import gc
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from nightflash.errors import NightFlashError
from nightflash.models.download.incoming import Incoming
from nightflash.models.weights import WeightsFile

from tests.models.download.downloading import CONTENT, NAME, OTHER, Downloader, sha256, the_file
from tests.models.download.hostile_server import (
    Behaviour,
    Hostile,
    Request,
    chunked,
    dripping,
    file,
    leading_to,
    passing_on,
    serving,
    stalling,
    status,
    trickling,
)

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
PAGE = b"<html>Log in</html>"


@pytest.fixture
def downloader(tmp_path: Path) -> Iterator[Downloader]:
    (tmp_path / "weights").mkdir()
    with serving() as server:
        yield Downloader(server, tmp_path / "weights")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("behaviour", "words", "asked"),
    [
        (status(404), "has no network.pth (status 404)", 1),
        (status(403, PAGE, Content_Type="text/html"), "does not give network.pth out", 1),
        (status(418), "status 418", 1),
        (status(500), "cannot send network.pth now (status 500)", 4),
        (status(304), "status 304", 1),
        (file(PAGE, Content_Type="text/html; charset=utf-8"), "a web page of 19 bytes", 1),
        (chunked(PAGE, Content_Type="Text/HTML"), "a web page instead of", 1),
        (file(CONTENT[:-1]), "a file of 599999 bytes instead of network.pth", 1),
        (file(CONTENT + b"!"), "a file of 600001 bytes instead of network.pth", 1),
        (file(CONTENT, Content_Length=600_001), "a file of 600001 bytes", 1),
        (file(CONTENT, Content_Length=5), "a file of 5 bytes", 1),
        (chunked(CONTENT, endless=True), "more than the 600000 bytes", 1),
        (file(OTHER), sha256(OTHER), 2),
        (leading_to(f"/{NAME}"), "from address to address", 9),
        (leading_to("http://[bad/"), "no address", 1),
        (leading_to("file:///etc/passwd"), "file:///etc/passwd is no address", 1),
        (leading_to("http://h\xff/"), "is no address", 1),
        (leading_to("http://a..b/"), "http://a..b/ is no address", 1),
        (file(CONTENT, ranges=False, breaks_after=1000), "broke off", 4),
        (file(b"", breaks_after=0, Content_Length=600_000), "broke off", 4),
        (chunked(b""), "no more than 0 bytes", 4),
        (status(206, CONTENT, Content_Range="bytes 5-600004/600005"), "is not sent in parts", 4),
    ],
)
def test_what_the_server_may_answer(
    downloader: Downloader, behaviour: Behaviour, words: str, asked: int
) -> None:
    downloader.server.pages[f"/{NAME}"] = behaviour
    fault = downloader.fault()
    assert words in fault.sentence
    assert fault.code == "download_failed"
    assert f"{downloader.server.url[7:]}" in fault.sentence or "is no address" in fault.sentence
    assert len(downloader.server.requests) == asked


def test_what_is_wrong_for_good_leaves_nothing(downloader: Downloader) -> None:
    for behaviour in (file(OTHER), chunked(CONTENT, endless=True), file(PAGE)):
        downloader.server.pages[f"/{NAME}"] = behaviour
        downloader.fault()
        assert downloader.left() == []


def test_an_endless_body_is_not_read_on(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = chunked(OTHER, endless=True)
    downloader.fault()
    assert downloader.steps[-1][0] == len(CONTENT) + 1


def test_a_wrong_hash_names_both(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = file(OTHER)
    fault = downloader.fault(the_file(downloader.server, sha256(CONTENT)[:8]))
    assert sha256(OTHER) in fault.sentence
    assert f"{sha256(CONTENT)[:8]}..." in fault.sentence


def test_what_has_come_stays_when_it_is_given_up(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = file(CONTENT, ranges=False, breaks_after=300_000)
    downloader.fault()
    assert (downloader.folder / f"{NAME}.part").read_bytes() == CONTENT[:300_000]
    downloader.fault(the_file(downloader.server, ""))
    assert downloader.left() == []


def test_a_stalled_server_is_given_up(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = stalling(CONTENT, 0)
    fault = downloader.fault(read=0.2)
    assert "left network.pth waiting for too long" in fault.sentence
    assert downloader.pauses == [1, 2, 4]


def test_a_dripping_server_is_given_up_though_bytes_come(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = dripping(CONTENT)
    fault = downloader.fault(window=0.3, floor=1000.0)
    assert "bytes per second, which is too slow" in fault.sentence
    assert len(downloader.server.requests) == 4


def test_a_server_that_breaks_off_after_every_few_bytes_is_given_up(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = file(CONTENT, breaks_after=100)
    downloader.fault()
    assert len(downloader.server.requests) == 4


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n", b"a: b\r\n"),
    ],
    ids=["status", "header", "continue", "length of a chunk", "trailers"],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_never_comes_to_the_file_is_given_up(
    downloader: Downloader, beginning: bytes, piece: bytes
) -> None:
    """The thread that waits is left behind, and its socket with it."""
    downloader.server.pages[f"/{NAME}"] = trickling(beginning, piece)
    fault = downloader.fault(connect=0.3, read=0.3, window=0.3, tries=2, calls=2)
    assert NAME in fault.sentence
    downloader.server.stopped.set()
    for thread in threading.enumerate():  # what is left behind ends with the server
        if thread.daemon and thread is not threading.current_thread():
            thread.join(5)
    gc.collect()


def test_a_packed_answer_is_refused(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = file(CONTENT, Content_Encoding="gzip")
    assert "packed" in downloader.fault().sentence


def test_a_host_that_is_not_there(downloader: Downloader) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        fault = downloader.fault(WeightsFile(NAME, 5, f"{url}/x"))
    assert "cannot be reached to fetch network.pth" in fault.sentence
    assert fault.code == "no_network"
    assert downloader.pauses == [1]


def test_a_name_that_is_not_known(downloader: Downloader, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    fault = downloader.fault(WeightsFile(NAME, 5, "https://name.invalid/x"))
    assert fault.sentence == "name.invalid cannot be found to fetch network.pth."
    assert "online" in fault.remedy
    assert fault.code == "no_network"


@pytest.mark.parametrize("mirror", ["ftp://me:secret@host/x?key=secret", "http://", "https://[::/"])
def test_mirrors_that_are_no_addresses(downloader: Downloader, mirror: str) -> None:
    fault = downloader.fault(None, mirror)
    assert "no address that network.pth can be fetched from" in fault.sentence
    assert "secret" not in str(fault)


def test_a_password_in_an_address_is_sent_and_not_told(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = status(403)
    mirror = downloader.server.url.replace("http://", "http://me:secret@")
    assert "secret" not in str(downloader.fault(None, mirror))
    assert downloader.server.requests[0].headers["Authorization"].startswith("Basic ")


def test_mirrors_without_the_file(downloader: Downloader, tmp_path: Path) -> None:
    assert f"There is no file {tmp_path / 'no' / NAME}." in str(
        downloader.fault(None, str(tmp_path / "no"))
    )
    assert "has no network.pth" in str(downloader.fault(None, downloader.server.url))
    (tmp_path / NAME).mkdir()
    assert downloader.fault(None, str(tmp_path)).code == "download_failed"
    (tmp_path / NAME).rmdir()
    (tmp_path / NAME).write_bytes(CONTENT[:7])
    assert "a file of 7 bytes" in str(downloader.fault(None, str(tmp_path)))
    (tmp_path / NAME).write_bytes(OTHER)
    assert sha256(OTHER) in str(downloader.fault(None, str(tmp_path)))


def test_proxies_of_the_environment(
    downloader: Downloader, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = WeightsFile(NAME, len(CONTENT), f"http://far.invalid/{NAME}", sha256(CONTENT))
    with serving() as proxy:
        proxy.pages[f"/{NAME}"] = passing_on(downloader.server)
        downloader.server.pages[f"/{NAME}"] = file(CONTENT)
        monkeypatch.setenv("http_proxy", proxy.url)
        downloader.run(there).unlink()
        assert [request.path for request in proxy.requests] == [there.url]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        downloader.run().unlink()
        assert len(proxy.requests) == 1
        proxy.pages[f"/{NAME}"] = status(407, Proxy_Authenticate="Basic")
        fault = downloader.fault(there)
        assert "The proxy on the way to far.invalid wants a name and a password" in fault.sentence


def test_proxies_that_let_no_https_through(
    downloader: Downloader, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = WeightsFile(NAME, len(CONTENT), f"https://far.invalid/{NAME}")
    monkeypatch.setattr(
        Request, "do_CONNECT", lambda request: request.head(407, Content_Length=0), raising=False
    )
    monkeypatch.setenv("https_proxy", downloader.server.url)
    assert "wants a name and a password" in downloader.fault(there).sentence
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{taken.getsockname()[1]}")
        fault = downloader.fault(there)
    assert "The proxy on the way to far.invalid cannot be reached" in fault.sentence
    assert "HTTPS_PROXY" in fault.remedy
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:9")
    assert "PySocks" in downloader.fault(there).sentence


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl makes a certificate")
    folder = tmp_path_factory.mktemp("tls")
    making = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext"
    files: list[str | Path] = ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"]
    subprocess.run(
        [*making.split(), "subjectAltName=IP:127.0.0.1", *files], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return folder / "certificate.pem", context


def test_encrypted_connections(
    downloader: Downloader,
    monkeypatch: pytest.MonkeyPatch,
    certificate: tuple[Path, ssl.SSLContext],
) -> None:
    downloader.server.pages[f"/{NAME}"] = file(CONTENT)
    with serving(certificate[1]) as secure:
        secure.pages[f"/{NAME}"] = file(CONTENT)
        fault = downloader.fault(the_file(secure))
        assert "The certificate that came for 127.0.0.1" in fault.sentence
        assert "REQUESTS_CA_BUNDLE" in fault.remedy
        assert downloader.pauses == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
        assert downloader.run(the_file(secure)).read_bytes() == CONTENT
        (downloader.folder / NAME).unlink()
        secure.pages[f"/{NAME}"] = leading_to(f"{downloader.server.url}/{NAME}")
        assert "without encryption" in downloader.fault(the_file(secure)).sentence
        assert downloader.server.requests == []


def test_a_server_that_speaks_no_tls(downloader: Downloader) -> None:
    url = downloader.server.url.replace("http:", "https:")
    fault = downloader.fault(WeightsFile(NAME, 5, f"{url}/{NAME}"))
    assert "No secure connection" in fault.sentence


@pytest.mark.parametrize("have", [0, 400_000])
def test_a_disk_with_too_little_room(
    downloader: Downloader, monkeypatch: pytest.MonkeyPatch, have: int
) -> None:
    (downloader.folder / f"{NAME}.part").write_bytes(CONTENT[:have])
    downloader.server.pages[f"/{NAME}"] = file(CONTENT)
    needed = len(CONTENT) - have + 64_000_000
    free = [needed - 1]
    usage = type("Usage", (), {"free": property(lambda self: free[0])})
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage())
    fault = downloader.fault()
    assert fault.code == "no_space"
    assert f"{needed / 1e6:.1f} MB" in fault.sentence
    assert downloader.server.requests == []
    free[0] = needed
    downloader.run()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk is Linux's /dev/full")
def test_a_disk_that_fills_up(downloader: Downloader, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Incoming, answer: object, place: str) -> None:
        with Path("/dev/full").open("wb", buffering=0) as out:
            out.write(b"x")

    monkeypatch.setattr(Incoming, "_write", full)
    downloader.server.pages[f"/{NAME}"] = file(CONTENT)
    fault = downloader.fault()
    assert fault.code == "no_space"
    assert "is full" in fault.sentence


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_part_that_leads_elsewhere_is_not_followed(
    downloader: Downloader, tmp_path: Path
) -> None:
    downloader.server.pages[f"/{NAME}"] = file(CONTENT)
    other = tmp_path / "of somebody"
    other.write_bytes(b"precious")
    (downloader.folder / f"{NAME}.part").symlink_to(other)
    assert downloader.run().read_bytes() == CONTENT
    assert other.read_bytes() == b"precious"
    assert not (downloader.folder / NAME).is_symlink()


def test_a_folder_that_is_none(downloader: Downloader, tmp_path: Path) -> None:
    downloader.server.pages[f"/{NAME}"] = file(CONTENT)
    (tmp_path / "taken").write_text("a file")
    for folder in (tmp_path / "taken", tmp_path / "taken" / "deeper"):
        downloader.folder = folder
        with pytest.raises(NightFlashError, match=r"--weights") as caught:
            downloader.run()
        assert caught.value.code == "bad_output"
        assert str(folder / NAME) in caught.value.sentence
    assert downloader.server.requests == []


def test_certificates_that_are_not_there(
    downloader: Downloader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(downloader.folder / "nowhere.pem"))
    secure = replace(the_file(downloader.server), url=f"https://127.0.0.1:9/{NAME}")
    fault = downloader.fault(secure)
    assert fault.code == "download_failed"
    assert "nowhere.pem" in fault.sentence
    assert "REQUESTS_CA_BUNDLE" in fault.remedy


@pytest.mark.skipif(sys.platform == "win32", reason="folders are replaced differently")
def test_a_folder_in_the_file_s_place(downloader: Downloader) -> None:
    downloader.server.pages[f"/{NAME}"] = file(CONTENT)
    (downloader.folder / NAME).mkdir()
    with pytest.raises(NightFlashError) as caught:
        downloader.run()
    assert caught.value.code == "bad_output"


def test_the_server_of_the_tests_counts(downloader: Downloader) -> None:
    server: Hostile = downloader.server
    server.pages[f"/{NAME}"] = file(CONTENT)
    downloader.run()
    assert server.sent == len(CONTENT)
