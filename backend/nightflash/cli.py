"""The command line: ``nightflash render`` and ``nightflash settings``.

Only light modules are imported at the top, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nightflash import __version__, streams
from nightflash.errors import NightFlashError
from nightflash.jobs import Job, check_targets, is_folder, make_folder, plan
from nightflash.progress import overall
from nightflash.settings import DEFAULTS, KNOBS, Settings, legal_values, word

if TYPE_CHECKING:
    from nightflash.engine import Engine, Night
    from nightflash.photo import Photo
    from nightflash.scene import Aim

FAULT = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code: 0, or 2 after a fault that was told in a sentence."""
    streams.prepare()
    try:
        options = _options(sys.argv[1:] if arguments is None else arguments)
        code: int = options.run(options)
        streams.flush()
    except SystemExit as end:  # argparse has said what it had to say
        code = end.code if isinstance(end.code, int) else FAULT
    except NightFlashError as error:
        streams.tell(f"nightflash: {error}")
        code = FAULT
    except MemoryError:
        streams.tell("nightflash: There is not enough memory.")
        code = FAULT
    except KeyboardInterrupt:
        streams.tell("nightflash: stopped; nothing half-written is left.")
        code = INTERRUPTED
    return code


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse; options may stand between the photos and OUT, and a box may begin with a minus."""
    tied: list[str] = []
    for argument in arguments:
        if tied and tied[-1] in ("--subject-box", "--subject-point"):
            tied[-1] += f"={argument}"
        else:
            tied.append(argument)
    parser = _parser()
    options, rest = parser.parse_known_args(tied)
    strange = [text for text in rest if text.startswith("-") or not hasattr(options, "paths")]
    if strange:
        parser.error(f"unrecognized arguments: {' '.join(strange)}")
    if rest:
        options.paths += rest
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nightflash",
        description="A daylight photo in, the same photo taken at night with a flash out.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"nightflash {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_render(
        commands.add_parser(
            "render",
            help="make the night of one photo or several",
            usage="nightflash render PHOTO... OUT [OPTIONS]",
            allow_abbrev=False,
        )
    )
    settings = commands.add_parser(
        "settings", help="list every setting, its range and default", allow_abbrev=False
    )
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
    for owner, name, shape, text in (
        (aim, "--subject-mask", "FILE", "picture of the photo's size: white is the main object"),
        (aim, "--subject-box", "X,Y,W,H", "box around the main object, in pixels"),
        (aim, "--subject-point", "X,Y", "a point on the main object, in pixels"),
        (parser, "--seed", "N", KNOBS["seed"].help),
        (parser, "--weights", "DIR", "folder of network files"),
        (parser, "--debug-dir", "DIR", "write depth, mask, target and refined pictures here"),
    ):
        kind = Path if shape in ("FILE", "DIR") else str
        owner.add_argument(name, metavar=shape, type=kind, help=text)
    for name in ("method", "quality"):
        parser.add_argument(f"--{name}", choices=KNOBS[name].choices, help=KNOBS[name].help)
    for name, choices, text in (
        ("--networks", ("official", "lite", "builtin"), "set of networks: the best present"),
        ("--device", ("cpu", "cuda", "mps"), "where to compute: the GPU if there is one"),
    ):
        text = f"{text} (auto, the default) or the one named"
        parser.add_argument(name, choices=("auto", *choices), default="auto", help=text)
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="any setting; see: nightflash settings",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object about the work")
    parser.set_defaults(run=_render)


def _settings(options: argparse.Namespace) -> int:
    if options.json:
        table = {name: {**asdict(knob), "default": DEFAULTS[name]} for name, knob in KNOBS.items()}
        streams.put(json.dumps(table, indent=1))
        return 0
    group = ""
    for name, knob in KNOBS.items():
        if knob.group != group:
            group = knob.group
            streams.put(f"{group}:")
        streams.put(f"  {name}={word(DEFAULTS[name])}  ({legal_values(name)})\n      {knob.help}")
    return 0


def _render(options: argparse.Namespace) -> int:
    settings = _chosen_settings(options)
    box = _numbers(options.subject_box, 4, "--subject-box")
    point = _numbers(options.subject_point, 2, "--subject-point")
    if options.weights is not None and not is_folder(options.weights):
        raise NightFlashError(f"There is no folder {options.weights} of network files.")
    jobs = _checked_jobs(options)
    from nightflash.photo import check_output, read_mask, write_photo
    from nightflash.scene import Aim

    for job in jobs:
        check_output(job.out)
    mask = read_mask(options.subject_mask) if options.subject_mask is not None else None
    aim = Aim(
        mask,
        (box[0], box[1], box[2], box[3]) if box else None,
        (point[0], point[1]) if point else None,
    )
    engine: Engine | None = None
    reports: list[dict[str, Any]] = []
    for job in jobs:
        try:
            photo = _read(job, aim)
        except NightFlashError as fault:
            streams.tell(f"nightflash: {fault}")
            continue
        if engine is None:
            from nightflash.engine import Engine

            engine = Engine(options.networks, options.weights, options.device)
            engine.load()
        try:
            night = _with_progress(engine, photo, settings, aim, job.source.name)
            write_photo(job.out, night.photo)
            if options.debug_dir is not None:
                from nightflash.debug import write_debug

                write_debug(job.debug_files(options.debug_dir), night)
        except NightFlashError as fault:
            streams.tell(f"nightflash: {job.source}: {fault}")
            continue
        reports.append({"photo": str(job.source), "out": str(job.out), **asdict(night.report)})
        for note in night.report.notes:
            streams.tell(f"{job.source.name}: {note}")
        if not options.json:
            streams.put(str(job.out))
    if options.json and (reports or len(jobs) > 1):
        streams.put(json.dumps(reports[0] if len(jobs) == 1 else {"photos": reports}))
    return 0 if len(reports) == len(jobs) else FAULT


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


def _checked_jobs(options: argparse.Namespace) -> list[Job]:
    """What is to be done, once it is known that nothing of the user's would be overwritten."""
    jobs = plan(options.paths)
    originals = [job.source for job in jobs]
    targets = [job.out for job in jobs]
    if options.subject_mask is not None:
        originals.append(options.subject_mask)
    if options.debug_dir is not None:
        make_folder(options.debug_dir)
        targets += [file for job in jobs for file in job.debug_files(options.debug_dir).values()]
    check_targets(targets, originals)
    return jobs


def _read(job: Job, aim: Aim) -> Photo:
    """Read a photo and refuse at once what would be refused after the work."""
    from nightflash.photo import read_photo
    from nightflash.scene import check_aim

    photo = read_photo(job.source)
    check_aim(aim, (photo.width, photo.height))
    jpeg = job.out.suffix.lower() in (".jpg", ".jpeg")
    if jpeg and photo.alpha is not None and round(float(photo.alpha.min()) * 255) < 255:
        raise NightFlashError(
            f"{job.out} would lose the transparency of {job.source}, which JPEG cannot hold.",
            "Use PNG, TIFF or WebP.",
            code="bad_output",
        )
    return photo


def _with_progress(engine: Engine, photo: Photo, settings: Settings, aim: Aim, name: str) -> Night:
    if not sys.stderr.isatty():
        return engine.render(photo, settings, aim)
    from tqdm import tqdm

    layout = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(total=100, desc=name, leave=False, bar_format=layout) as bar:

        def advance(stage: str, fraction: float) -> None:
            bar.set_description(f"{name}, {stage}", refresh=False)
            bar.n = 100 * overall(settings.quality, stage, fraction)
            bar.refresh()

        return engine.render(photo, settings, aim, progress=advance)
