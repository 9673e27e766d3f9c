"""Networks run by onnxruntime."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nightflash.models.tensors import not_the_weights

TELEMETRY = "ORT_DISABLE_TELEMETRY"


def open_session(path: Path, device: torch.device, name: str, wanted: str | None = None) -> Any:
    """Read an ONNX file, for the GPU where ``device`` and the build of onnxruntime allow it.

    The wheels of onnxruntime for Linux report to their maker and write into the user's cache at
    the first session, unless switched off before the import.

    Args:
        path: The file.
        device: Where it shall run.
        name: What it is called in sentences.
        wanted: The name of its one input picture; None for any.

    Returns:
        An ``onnxruntime.InferenceSession``.

    Raises:
        NightFlashError: ``networks_corrupt`` where onnxruntime cannot read the file.
        MemoryError: It did not suffice.
    """
    os.environ[TELEMETRY] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors only
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # cores are shared
    options.enable_cpu_mem_arena = False  # it would keep the memory of the largest moment
    providers = ["CPUExecutionProvider"]
    if device.type == "cuda" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        providers.insert(0, "CUDAExecutionProvider")
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=providers)
        inputs = [node.name for node in session.get_inputs()]
        if len(inputs) != 1 or wanted not in (None, inputs[0]):
            raise ValueError("it takes something else")
    except Exception as fault:  # onnxruntime's own exceptions share no documented base
        _raise_without_memory(fault)
        raise not_the_weights(path, name, fault) from fault
    return session


def run(session: Any, picture: Tensor) -> Any:
    """The first output of a network for its one input, (1, 3, H, W) float32.

    Raises:
        MemoryError: It did not suffice.
    """
    fed, given = session.get_inputs()[0].name, session.get_outputs()[0].name
    try:
        return session.run([given], {fed: picture.contiguous().numpy()})[0]
    except Exception as fault:
        _raise_without_memory(fault)
        raise


def _raise_without_memory(fault: Exception) -> None:
    if "alloc" in str(fault).lower():
        raise MemoryError(str(fault)) from fault
