"""Small files that ask for much: refused in one sentence, in little memory, with a quiet stderr."""

from __future__ import annotations

import io
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from nightflash.photo import jpeg, read_photo
from PIL import Image

from tests.command_line import environment

MOST_MB = 1024  # of address space taken beyond what the imports took


def bounded(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``code`` after its imports with little memory more."""
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "import torch, nightflash.cli, nightflash.photo.tiff\n"
        "from nightflash.models.tensors import read_tensors\n"
        "pages = int(open('/proc/self/statm').read().split()[0])\n"
        f"most = pages * resource.getpagesize() + {MOST_MB} * 2**20\n"
        "resource.setrlimit(resource.RLIMIT_AS, (most, most))\n" + code
    )
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )


def jpeg_of_scans(path: Path) -> None:
    """The last refinement of a progressive JPEG a thousand times over."""
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    path.write_bytes(data[:last] + data[last:-2] * 1000 + data[-2:])


def icc_of_tags(path: Path) -> None:
    """A profile of 256 tags, each of them nearly all of it."""
    length = 15 * 2**20
    tags = b"".join(
        struct.pack(">4sLL", f"t{i:03d}".encode(), 128 + i, length - 128 - i) for i in range(256)
    )
    head = bytearray(128)
    head[16:20], head[36:40] = b"RGB ", b"acsp"
    profile = (bytes(head) + struct.pack(">L", 256) + tags).ljust(length, b"\0")
    tifffile.imwrite(path, np.full((8, 8, 3), 99, np.uint8), iccprofile=profile)


RENDER = (
    "code = nightflash.cli.main(['render', sys.argv[1], sys.argv[2], '--networks', 'builtin',"
    " '--quality', 'preview', '--device', 'cpu'])\n"
    "sys.exit(code)"
)


def test_a_jpeg_of_a_thousand_scans(tmp_path: Path) -> None:
    jpeg_of_scans(tmp_path / "bomb.jpg")
    result = bounded(RENDER, tmp_path / "bomb.jpg", tmp_path / "night.jpg")
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert "more than 100 scans. Save it anew as a plain one." in line


def test_what_is_behind_a_jpeg_s_end_or_before_its_scans_counts_for_nothing() -> None:
    """A film behind a photo, as telephones put there, has such bytes by chance."""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "\u00ff\u00da" * 500
    block = exif.tobytes() + b"\xff\xda" * 500
    Image.new("RGB", (64, 64)).save(file, "JPEG", progressive=True, exif=block)
    data = file.getvalue()
    assert data.count(b"\xff\xda") > 500
    assert 2 <= jpeg.scans(data + b"\xff\xda" * 500, 400) <= 12


def test_a_plain_progressive_jpeg_is_read(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), (90, 80, 70)).save(tmp_path / "fair.jpg", progressive=True)
    assert read_photo(tmp_path / "fair.jpg").width == 64


def test_a_profile_of_tags_that_lie_over_one_another(tmp_path: Path) -> None:
    icc_of_tags(tmp_path / "bomb.tif")
    code = (
        "from nightflash.photo import read_photo\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read_photo(sys.argv[1])\n"
        "except nightflash.cli.NightFlashError as fault: print(fault)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    result = bounded(code, tmp_path / "bomb.tif")
    assert (result.returncode, result.stderr) == (0, "")
    assert int(result.stdout.split()[-1]) < 400, "MB"


def legacy(path: Path, values: int, storages: int) -> None:
    """A file of the older form of ``torch.save`` that names storages it does not hold."""

    class Named:
        """Stands for a storage."""

        def __init__(self, number: int) -> None:
            self.number = number

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: object) -> object:
            if isinstance(value, Named):
                return ("storage", torch.FloatStorage, str(value.number), "cpu", values, None)
            return None

    with path.open("wb") as file:
        for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True, "protocol_version": 1}):
            pickle.dump(part, file, protocol=2)
        Pickler(file, protocol=2).dump([Named(n) for n in range(storages)])
        pickle.dump([], file, protocol=2)


@pytest.mark.parametrize(("values", "storages"), [(2**31, 1), (2000, 60), (2**40, 1)])
def test_a_small_file_of_weights_that_tells_of_many(
    tmp_path: Path, values: int, storages: int
) -> None:
    path = tmp_path / "weights.pth"
    legacy(path, values, storages)
    code = "read_tensors(Path(sys.argv[1]))"
    result = bounded(code, path)
    assert "OtherWeights: it " in result.stderr.splitlines()[-1]
    assert "names more values than it holds" in result.stderr


def test_the_older_form_is_read_as_before(tmp_path: Path) -> None:
    from nightflash.models.tensors import read_tensors

    shared = torch.arange(1000.0)
    some = {f"tensor {n}": shared[n:] for n in range(3)} | {"other": torch.ones(3, 4)}
    torch.save(some, tmp_path / "weights.pth", _use_new_zipfile_serialization=False)
    found = read_tensors(tmp_path / "weights.pth")
    assert all(torch.equal(found[name], value) for name, value in some.items())
