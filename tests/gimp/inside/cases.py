"""Runs cases inside GIMP and tells the test outside how they went."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


def record(case: str, **fields: Any) -> None:
    """Give a result to the test outside."""
    with Path(os.environ["NIGHTFLASH_TEST_RESULTS"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"case": case, **fields}) + "\n")


def run(case: str, check: Callable[[], Any]) -> None:
    """Run a case and tell its fault, which is empty where it went well."""
    try:
        check()
    except BaseException:
        record(case, fault=traceback.format_exc())
    else:
        record(case, fault="")


def run_all(names: dict[str, Any]) -> None:
    """Run every ``case_NAME`` among these, in the order they were written."""
    for name, check in list(names.items()):
        if name.startswith("case_"):
            run(name.removeprefix("case_"), check)
