"""``nightflash batch``: the nights of folders and data sets."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nightflash.batch.order import Entry, Order, Tools, fault_of
from nightflash.batch.places import is_url
from nightflash.commands import streams
from nightflash.commands.batch_options import add_options, orders
from nightflash.commands.render_options import check_weights
from nightflash.commands.results import check_targets, make_folder, no_empty_folder
from nightflash.errors import NightFlashError

if TYPE_CHECKING:
    from nightflash.batch.report import Report

FAULT = 2
REPORT, SHEET = "report.jsonl", "contact.html"


def add(commands: Any) -> None:
    """Add the command to argparse's ``commands``."""
    parser = commands.add_parser(
        "batch",
        help="make the nights of folders and data sets",
        usage="nightflash batch INPUT... OUT [OPTIONS]",
        description="Make the nights of folders and data sets, in several processes. A report"
        " tells what is done; started again, the work goes on where it was ended, and what has"
        " changed is done again.",
        allow_abbrev=False,
    )
    add_options(parser)
    parser.set_defaults(run=_batch)


def _batch(options: argparse.Namespace) -> int:
    check_weights(options)
    wanted = orders(options)
    if options.sample is not None:
        drawn = random.Random(0).sample(range(len(wanted)), min(options.sample, len(wanted)))
        wanted = [wanted[number] for number in sorted(drawn)]
    from nightflash.batch.report import Report
    from nightflash.batch.resume import done_by

    tools = Tools(options.networks, options.weights, options.device)
    report = Report(_report_file(options))
    done = set[str]() if options.overwrite else done_by(report.entries(), wanted, tools)
    to_do = [order for order in wanted if order.out not in done][: options.limit]
    if options.dry_run:
        return _print_plan(to_do, len(done))
    with no_empty_folder(report.file.parent):
        make_folder(report.file.parent)
        with report, _folders(wanted):
            report.forget({order.out for order in to_do})
            faults = _watched(report.append(_entries(options, to_do, tools)), len(to_do))
            report.finish()
            if options.sample is not None:
                _write_sheet(options.paths[-1], report, wanted)
    made = len(to_do) - faults
    streams.print_error(f"{made} made, {len(done)} done before, {faults} faults: see {report.file}")
    return FAULT if faults else 0


def _report_file(options: argparse.Namespace) -> Path:
    if options.report is not None:
        return Path(options.report)
    if is_url(options.paths[-1]):
        raise NightFlashError(
            "The report is a file of this machine.", "Name one with --report.", code="bad_output"
        )
    return Path(options.paths[-1]) / REPORT


def _print_plan(to_do: Sequence[Order], done: int) -> int:
    """Say what would be done."""
    for order in to_do:
        streams.print_output(f"{order.photo} -> {order.out}")
    streams.print_error(f"{len(to_do)} to be made, {done} done before")
    return 0


@contextmanager
def _folders(wanted: Sequence[Order]) -> Iterator[None]:
    """Make the folders of the results, in which nothing half-written is or stays."""
    from nightflash.batch.resume import sweep

    local = [Path(order.out) for order in wanted if not is_url(order.out)]
    folders = {out.parent for out in local}
    with ExitStack() as stack:
        for folder in sorted(folders):
            stack.enter_context(no_empty_folder(folder))
            make_folder(folder)
        check_targets(local, (Path(order.photo) for order in wanted if not is_url(order.photo)))
        sweep(folders)
        stack.callback(sweep, folders)
        yield


def _entries(options: argparse.Namespace, to_do: Sequence[Order], tools: Tools) -> Iterator[Entry]:
    """What becomes of each order, as soon as that is known."""
    if not to_do:
        return
    if options.on is not None:
        from nightflash.batch.cluster import Cluster, entries

        part_of = Cluster(options.on, options.workers, options.worker_cores, options.worker_gpus)
        yield from entries(to_do, tools, part_of)
        return
    from nightflash.batch.pool import Pool
    from nightflash.batch.share import share

    part = share(tools.device, len(to_do), options.workers)
    with Pool(part.workers, part.threads, tools) as pool:
        yield from pool.do(to_do)


def _watched(entries: Iterable[Entry], count: int) -> int:
    """Show how far the work is, and tell faults; gives how many there were."""
    from tqdm import tqdm

    faults = 0
    entry: Entry  # tqdm tells no types
    for entry in tqdm(entries, total=count, unit="photo", disable=None):
        if (said := fault_of(entry)) is not None:
            faults += 1
            photo = streams.text(Path(entry["photo"]))
            sentence = said if entry["photo"] in said else f"{photo}: {said}"
            tqdm.write(f"nightflash: {sentence}", file=sys.stderr)
    return faults


def _write_sheet(out: str, report: Report, wanted: Sequence[Order]) -> None:
    from nightflash.batch.places import made_at
    from nightflash.batch.sheet import contact_sheet

    asked = {order.out for order in wanted}
    place = f"{out.rstrip('/')}/{SHEET}"
    entries = [entry for entry in report.entries() if entry["out"] in asked]
    with made_at(place) as file:
        file.write_text(contact_sheet(entries), encoding="utf-8")
    streams.print_output(place)
