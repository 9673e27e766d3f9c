"""The report: one line of JSON for each photo, from which a batch that was stopped goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Self, TypeGuard

from filelock import FileLock, Timeout

from nightflash.batch.order import Entry, Named
from nightflash.errors import NightFlashError
from nightflash.whole_file import written_whole

PARQUET = ".parquet"


class Report:
    """Lines on disk, for one batch at a time; a last line that a kill has torn counts for none.

    Args:
        file: ``NAME.jsonl``, or ``NAME.parquet``, which `finish` makes of the lines kept beside it.

    Raises:
        NightFlashError: ``bad_output``: it cannot be written, another batch writes it, or pyarrow
            is missing.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines = file.with_suffix(".jsonl") if file.suffix.lower() == PARQUET else file
        if self.lines != file:
            arrow("A report as Parquet")
        self._lock = FileLock(file.with_name(f".{file.name}.lock"))

    def __enter__(self) -> Self:
        try:
            self._lock.acquire(timeout=0)
            self.lines.touch()
        except Timeout as fault:
            raise _bad(f"Another batch writes {self.file}.", "Wait for it, or end it.") from fault
        except OSError as fault:
            raise _bad(f"{self.file} cannot be written: {fault.strerror}.") from fault
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if not self.lines.stat().st_size:  # nothing came of it
            self.lines.unlink()
            Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()

    def entries(self) -> Iterator[Entry]:
        """What it says so far, one at a time."""
        yield from (entry for _, entry in self._read())

    def forget(self, outs: Set[str]) -> None:
        """Take the lines of some results out, and what was torn: the new report replaces the old.

        Args:
            outs: The results.
        """
        with written_whole(self.lines) as file:
            file.writelines(line for line, entry in self._read() if entry["out"] not in outs)

    def append(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        """Write each entry as it comes, then pass it on.

        Raises:
            NightFlashError: ``bad_output``: the disk is full, or the like.
        """
        try:
            with self.lines.open("ab", buffering=0) as stream:
                for entry in entries:
                    stream.write(json.dumps(entry).encode() + b"\n")
                    yield entry
        except OSError as fault:
            raise _bad(f"{self.lines} cannot be written: {fault.strerror}.") from fault

    def finish(self) -> None:
        """Make the Parquet file, where that was asked for; it appears whole or not at all."""
        if self.lines == self.file or not self.lines.stat().st_size:
            return
        from pyarrow import json as arrow_json
        from pyarrow import parquet

        with written_whole(self.file) as file:
            parquet.write_table(arrow_json.read_json(self.lines), file)

    def _read(self) -> Iterator[tuple[bytes, Entry]]:
        if not self.lines.exists():
            return
        with self.lines.open("rb") as stream:
            for line in stream:
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                if line.endswith(b"\n") and _is_entry(entry):
                    yield line, entry


def _is_entry(found: object) -> TypeGuard[Entry]:
    return isinstance(found, dict) and Named.__required_keys__ <= {*found}


def arrow(what: str) -> None:
    """See that pyarrow is there.

    Raises:
        NightFlashError: It is not.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as fault:
        raise NightFlashError(
            f"{what} needs the package pyarrow.",
            "Install it with: pip install 'nightflash[batch]'",
            code="bad_input",
        ) from fault


def _bad(sentence: str, remedy: str = "") -> NightFlashError:
    return NightFlashError(sentence, remedy, code="bad_output")
