"""Reading files of tensors safely, and checking that they are the ones wanted."""

from __future__ import annotations

import pickletools
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from nightflash.errors import NightFlashError


class OtherWeights(ValueError):
    """The weights are not those of the network; the message says what differs."""


def read_tensors(path: Path) -> Mapping[str, Tensor]:
    """Read a file of weights without running code in it; training states are left aside.

    Args:
        path: A safetensors file where its name ends so, else one of ``torch.save``.

    Raises:
        OSError: It cannot be read.
        OtherWeights: It holds anything but a mapping.
    """
    try:
        found: Any
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            found = load_file(path)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about what a spoilt file holds
                _refuse_packed(path)
                _refuse_empty_promises(path)
                found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, MemoryError):
        raise
    except Exception as fault:  # what a spoilt file makes of the reader is anyone's guess
        raise OtherWeights("it is no file of weights") from fault
    if isinstance(found, Mapping) and "optimizer" in found:
        found = found.get("model")
    if not isinstance(found, Mapping):
        raise OtherWeights("it does not hold tensors by name")
    return found


def check_tensor(name: str, tensor: Any, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """Check that ``tensor`` is a plain one of ``shape`` and ``dtype`` with finite values.

    The shape comes first: a small file can hold a tensor of any size.

    Raises:
        OtherWeights: It is not.
    """
    name = _short(name)
    plain = isinstance(tensor, Tensor) and not (tensor.is_meta or tensor.is_nested)
    if not plain or tensor.layout is not torch.strided:
        raise OtherWeights(f"{name} is no plain tensor")
    if tensor.shape != shape:
        raise OtherWeights(f"{name} is {tuple(tensor.shape)} instead of {shape}")
    if tensor.dtype != dtype:
        raise OtherWeights(f"{name} is {tensor.dtype} instead of {dtype}")
    if tensor.is_floating_point() and not _largest(tensor).isfinite():
        raise OtherWeights(f"{name} holds values that are not finite")


def check_state(found: Mapping[str, Any], wanted: Mapping[str, Tensor]) -> None:
    """Check that ``found`` has the names, shapes and types of ``wanted`` and finite values.

    Counters of training may lack.

    Raises:
        OtherWeights: It has not.
    """
    missing = [name for name in wanted.keys() - found.keys() if not name.endswith(COUNTER)]
    if missing:
        raise OtherWeights(f"it lacks {len(missing)} tensors, such as {_short(min(missing))}")
    if surplus := found.keys() - wanted.keys():
        one = _short(min(surplus))
        raise OtherWeights(f"it holds {len(surplus)} tensors too many, such as {one}")
    for name, tensor in found.items():
        check_tensor(name, tensor, tuple(wanted[name].shape), wanted[name].dtype)


def not_the_weights(path: Path, network: str, fault: Exception) -> NightFlashError:
    """Say that a file does not hold what a network needs, ``networks_corrupt``."""
    reason = f": {fault}" if isinstance(fault, OtherWeights) else ""
    return NightFlashError(
        f"{path} does not hold the weights of {network}{reason}.",
        "Fetch it again with 'nightflash models download'.",
        code="networks_corrupt",
    )


LONGEST_NAME = 100
_PICKLES_OF_FORMAT = 3
_MOST_VALUES = 4  # for every byte of a file: one storage is named for many tensors
COUNTER = ".num_batches_tracked"
"""How often a normalisation was trained: ends the name of what serves training only."""


def _refuse_packed(path: Path) -> None:
    """Raise where an archive is larger unpacked than it is: those of PyTorch are not packed."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > path.stat().st_size:
                raise OtherWeights("it is packed")


def _refuse_empty_promises(path: Path) -> None:
    """Raise where a file in the older form of ``torch.save`` names more values than it holds.

    Memory is taken for every storage before its values are read. The form is pickles one behind
    the other: three of the format, then the tensors, whose storages are persistent numbers with
    their count of values before them.
    """
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        return
    with path.open("rb") as file:
        for _ in range(_PICKLES_OF_FORMAT):
            _promised(file)
        if _promised(file) > _MOST_VALUES * size:
            raise OtherWeights("it names more values than it holds")


def _promised(file: BinaryIO) -> int:
    """The values that the storages of a pickle have together, as it says; none is read."""
    promised = last = largest = 0
    for operation, argument, _ in pickletools.genops(file):
        if isinstance(argument, int) and operation.name.startswith(("BININT", "INT", "LONG")):
            last, largest = argument, max(largest, argument)
        elif operation.name in ("BINPERSID", "PERSID"):
            promised += largest if last < 0 else last
            last = -1  # a number that is not written anew is one remembered
    return promised


def _short(name: str) -> str:
    """A name out of a file, fit for a sentence."""
    plain = name if name.isprintable() else repr(name)
    return plain if len(plain) <= LONGEST_NAME else f"{plain[:LONGEST_NAME]}..."


def _largest(tensor: Tensor) -> Tensor:
    """The largest magnitude, NaN where one value is: one pass and no memory, unlike isfinite()."""
    largest: Tensor = torch.linalg.vector_norm(tensor, float("inf"))
    return largest
