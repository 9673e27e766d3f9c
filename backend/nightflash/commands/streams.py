"""Standard output and error that may be closed, full, or of another encoding than names."""

from __future__ import annotations

import codecs
import io
import os
import sys

from nightflash.errors import NightFlashError


def prepare() -> None:
    """Make the standard streams take any text; a closed one swallows it."""
    codecs.register_error("nightflash.as_it_is", _as_it_is)
    # A closed descriptor would otherwise be given to the next file opened.
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="nightflash.as_it_is")


def print_output(text: str) -> None:
    """Print a line on standard output; a reader that has gone is no fault.

    Raises:
        NightFlashError: ``bad_output`` where the output cannot be written, such as to a full disk.
    """
    try:
        print(text, flush=True)
    except OSError as error:
        _swallow(error)


def text(path: os.PathLike[str]) -> str:
    """A path as text that any program reads: bytes that are none are written ``\\xff``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def flush() -> None:
    """Have standard output written, as `print_output` does."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _swallow(error)


def print_error(sentence: str) -> None:
    """Print a line on standard error, if anybody reads it."""
    try:
        print(sentence, file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123


def _swallow(error: OSError) -> None:
    """Lead standard output nowhere, so that what is buffered raises no second fault."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    if not isinstance(error, BrokenPipeError):
        raise NightFlashError(
            f"Nothing can be printed: {error.strerror}.", code="bad_output"
        ) from error


def _as_it_is(fault: UnicodeError) -> tuple[str | bytes, int]:
    """Bytes of a name that were no text as they are, other strange characters as their code."""
    try:
        return codecs.lookup_error("surrogateescape")(fault)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(fault)
