"""The options of ``nightflash batch``, and the orders that they and lists give."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nightflash.batch.order import NamedAim, Order
from nightflash.batch.places import is_url
from nightflash.commands.inputs import Found, find
from nightflash.commands.render_options import (
    add_making,
    box,
    chosen_settings,
    file_quality,
    point,
)
from nightflash.errors import NightFlashError
from nightflash.presets import settings_of
from nightflash.settings import SETTING_INFO, Settings

AIMS = ("box", "point", "not_point", "mask")
"""Columns of a list that aim, beside ``photo``, ``out``, ``preset`` and every setting."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add inputs, result and options to a parser."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="INPUT... OUT",
        help="photos, folders, globs and lists (.txt, .csv, .parquet), then a folder; or URLs",
    )
    number: Callable[[str], int] = _count
    for name, metavar, kind, text in (
        ("--report", "FILE", Path, "its place; .jsonl or .parquet; without it OUT/report.jsonl"),
        ("--workers", "N", number, "processes; without it as many as the machine bears"),
        ("--limit", "N", number, "make no more than N nights now"),
        ("--sample", "N", number, "make N drawn from all, and a page with pairs, OUT/contact.html"),
    ):
        parser.add_argument(name, metavar=metavar, type=kind, help=text)
    parser.add_argument(
        "--on",
        metavar="ray[:ADDRESS]",
        type=_cluster,
        help="work on a cluster of Ray; without ADDRESS the one that is there, or this machine",
    )
    parser.add_argument(
        "--worker-cores", metavar="N", type=_count, default=1, help="of each worker on Ray"
    )
    parser.add_argument(
        "--worker-gpus",
        metavar="X",
        type=float,
        default=0.0,
        help="of each worker on Ray; 0.25 lets four share one",
    )
    parser.add_argument("--overwrite", action="store_true", help="make also what is done already")
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be done")
    add_making(parser)


def _cluster(text: str) -> str:
    """The address of a cluster, or nothing."""
    kind, _, address = text.partition(":")
    if kind != "ray":
        raise argparse.ArgumentTypeError(f"{text!r} is not ray or ray:ADDRESS")
    return address


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def orders(options: argparse.Namespace) -> list[Order]:
    """Everything that is wanted, done or not.

    Raises:
        NightFlashError: Inputs, settings or lists are wrong.
    """
    if len(options.paths) < 2:
        raise NightFlashError(
            "Name photos or folders, and where the results go.", "See: nightflash batch --help"
        )
    *inputs, out = options.paths
    plain = Order(
        "",
        "",
        chosen_settings(options),
        NamedAim(),
        file_quality(options.file_quality),
        options.keep,
    )
    top = out.rstrip("/") if is_url(out) else str(Path(out).absolute())
    return [_order(found, f"{top}/{found.place}", plain) for found in find(inputs, out)]


def _order(found: Found, out: str, plain: Order) -> Order:
    order = replace(plain, photo=found.photo, out=out, version=found.version)
    if not found.row:
        return order
    try:
        settings, aim = _settings(found.row, plain.settings), _aim(found)
    except NightFlashError as fault:
        raise NightFlashError(
            f"{found.told_by}: {fault.sentence}", fault.remedy, code=fault.code
        ) from fault
    return replace(order, settings=settings, aim=aim)


def _settings(row: dict[str, str], base: Settings) -> Settings:
    words = {key: word for key, word in row.items() if key not in (*AIMS, "preset")}
    strange = [key for key in words if key not in SETTING_INFO]
    if strange:
        raise NightFlashError(
            f"The column {strange[0]!r} means nothing.",
            f"Columns are photo, out, preset, {', '.join(AIMS)}, and the settings that"
            " 'nightflash settings' lists.",
            code="bad_setting",
        )
    return Settings.from_words(words, settings_of(row["preset"]) if "preset" in row else base)


def _aim(found: Found) -> NamedAim:
    row = found.row
    mask = row.get("mask")
    folder = Path(found.told_by.rpartition(", ")[0]).absolute().parent
    return NamedAim(
        box(row.get("box"), "The column box"),
        tuple(point(text, "The column point") for text in row.get("point", "").split()),
        tuple(point(text, "The column not_point") for text in row.get("not_point", "").split()),
        None if mask is None else folder / mask,
    )
