"""The command line: ``nightflash render`` and ``nightflash settings``.

Only light modules are imported at the top, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from nightflash import __version__
from nightflash.errors import NightFlashError
from nightflash.settings import DEFAULTS, KNOBS, OFF, Settings, legal_values

if TYPE_CHECKING:
    from nightflash.engine import Engine, Night
    from nightflash.photo import Photo
    from nightflash.scene import Aim

FAULT = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code: 0, 2 after a fault that was told in a sentence."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except NightFlashError as error:
        print(f"nightflash: {error}", file=sys.stderr)
        return FAULT
    except MemoryError:
        print("nightflash: There is not enough memory for this photo.", file=sys.stderr)
        return FAULT
    except KeyboardInterrupt:
        print("nightflash: stopped; nothing half-written is left.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nightflash",
        description="A daylight photo in, the same photo taken at night with a flash out.",
    )
    parser.add_argument("--version", action="version", version=f"nightflash {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_render(commands.add_parser("render", help="make the night of one photo or several"))
    settings = commands.add_parser("settings", help="list every setting, its range and default")
    settings.add_argument("--json", action="store_true", help="as one JSON object")
    settings.set_defaults(run=_settings)
    return parser


def _add_render(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PHOTO... OUT",
        help="photos, then a file, or a folder for several photos",
    )
    aim = parser.add_mutually_exclusive_group()
    aim.add_argument("--subject-mask", metavar="FILE", help="picture of the photo's size: white is the main object")  # fmt: skip
    aim.add_argument("--subject-box", metavar="X,Y,W,H", help="box around the main object, in pixels")  # fmt: skip
    aim.add_argument("--subject-point", metavar="X,Y", help="a point on the main object, in pixels")
    parser.add_argument("--method", choices=KNOBS["method"].choices, help=KNOBS["method"].help)
    parser.add_argument("--quality", choices=KNOBS["quality"].choices, help=KNOBS["quality"].help)
    parser.add_argument("--networks", choices=("auto", "official", "lite", "builtin"), default="auto", help="which set of networks (default: the best present)")  # fmt: skip
    parser.add_argument("--weights", metavar="DIR", type=Path, help="folder of network files")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="any setting; see: nightflash settings")  # fmt: skip
    parser.add_argument("--seed", metavar="N", help=KNOBS["seed"].help)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    parser.add_argument("--debug-dir", metavar="DIR", type=Path, help="write depth, mask, target and refined pictures here")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object about the work")
    parser.set_defaults(run=_render)


def _settings(options: argparse.Namespace) -> int:
    if options.json:
        table = {name: {**asdict(knob), "default": DEFAULTS[name]} for name, knob in KNOBS.items()}
        print(json.dumps(table, indent=1))
        return 0
    group = ""
    for name, knob in KNOBS.items():
        if knob.group != group:
            group = knob.group
            print(f"{group}:")
        default = DEFAULTS[name]
        shown = {None: OFF, True: "on", False: "off"}.get(default, default)
        print(f"  {name}={shown}  ({legal_values(name)})\n      {knob.help}")
    return 0


def _render(options: argparse.Namespace) -> int:
    settings = _chosen_settings(options)
    jobs = _jobs(options.paths)
    aim_numbers = (
        _numbers(options.subject_box, 4, "--subject-box"),
        _numbers(options.subject_point, 2, "--subject-point"),
    )
    from nightflash.engine import Engine
    from nightflash.photo import check_output, read_photo, write_photo

    for _, out in jobs:
        check_output(out)
    if options.debug_dir is not None:
        _make_folder(options.debug_dir)
    engine = Engine(options.networks, options.weights, options.device)
    reports, faults = [], 0
    for source, out in jobs:
        try:
            photo = read_photo(source)
            aim = _aim(options.subject_mask, *aim_numbers)
            night = _with_progress(engine, photo, settings, aim, source.name)
            write_photo(out, night.photo)
        except NightFlashError as error:
            if len(jobs) == 1:
                raise
            print(f"nightflash: {error}", file=sys.stderr)
            faults += 1
            continue
        if options.debug_dir is not None:
            from nightflash.debug import write_debug

            write_debug(options.debug_dir, source.stem, night)
        reports.append({"photo": str(source), "out": str(out), **asdict(night.report)})
        if not options.json:
            for note in night.report.notes:
                print(f"{source.name}: {note}", file=sys.stderr)
            print(out)
    if options.json:
        print(json.dumps(reports[0] if len(jobs) == 1 else {"photos": reports}))
    return FAULT if faults else 0


def _chosen_settings(options: argparse.Namespace) -> Settings:
    words = {}
    for pair in options.set:
        key, equals, value = pair.partition("=")
        if not equals:
            raise NightFlashError(
                f"--set takes KEY=VALUE, not {pair!r}.",
                "See: nightflash settings",
                code="bad_setting",
            )
        words[key.strip()] = value
    for name in ("method", "quality", "seed"):
        if (value := getattr(options, name)) is not None:
            words[name] = value
    return Settings.from_words(words)


def _jobs(paths: Sequence[str]) -> list[tuple[Path, Path]]:
    """Pairs of photo and output; OUT is a folder when it is one or when there are several."""
    if len(paths) < 2:
        raise NightFlashError(
            "Name a photo and where the result goes.", "See: nightflash render -h"
        )
    photos, out = [Path(p) for p in paths[:-1]], Path(paths[-1])
    if len(photos) == 1 and not (out.is_dir() or paths[-1].endswith(("/", os.sep))):
        return [(photos[0], out)]
    if out.exists() and not out.is_dir():
        raise NightFlashError(f"{out} is a file; several photos need a folder.", code="bad_output")
    _make_folder(out)
    kept = {".heic": ".jpg", ".heif": ".jpg", ".bmp": ".png", ".gif": ".png"}
    jobs = [(p, out / f"{p.stem}-night{kept.get(p.suffix.lower(), p.suffix)}") for p in photos]
    twice = {str(o) for _, o in jobs if sum(o == other for _, other in jobs) > 1}
    if twice:
        raise NightFlashError(
            f"Several photos would be written to {sorted(twice)[0]}.",
            "Render photos of the same name one by one.",
            code="bad_output",
        )
    return jobs


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NightFlashError(
            f"The folder {folder} cannot be made: {error.strerror}.", code="bad_output"
        ) from error


def _numbers(text: str | None, count: int, option: str) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count:
        shape = "X,Y,W,H" if count == 4 else "X,Y"
        raise NightFlashError(f"{option} takes {shape} in pixels, not {text!r}.", code="bad_aim")
    return numbers


def _aim(mask: str | None, box: tuple[float, ...] | None, point: tuple[float, ...] | None) -> Aim:
    from nightflash.photo import read_mask
    from nightflash.scene import Aim

    return Aim(
        mask=read_mask(Path(mask)) if mask is not None else None,
        box=(box[0], box[1], box[2], box[3]) if box is not None else None,
        point=(point[0], point[1]) if point is not None else None,
    )


def _with_progress(engine: Engine, photo: Photo, settings: Settings, aim: Aim, name: str) -> Night:
    if not sys.stderr.isatty():
        return engine.render(photo, settings, aim)
    from tqdm import tqdm

    stages = {"scene": 10, "light": 2, "refine": 60, "full size": 28}
    before = dict(zip(stages, (0, 10, 12, 72), strict=True))
    layout = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(total=100, desc=name, leave=False, bar_format=layout) as bar:

        def advance(stage: str, fraction: float) -> None:
            bar.set_description(f"{name}, {stage}", refresh=False)
            bar.n = before[stage] + stages[stage] * fraction
            bar.refresh()

        return engine.render(photo, settings, aim, progress=advance)
