"""``nightflash render``: the night of one photo or several."""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nightflash.commands import streams
from nightflash.commands.networks import add_networks
from nightflash.commands.results import (
    Job,
    check_targets,
    is_folder,
    make_folder,
    no_empty_folder,
    plan,
)
from nightflash.errors import NightFlashError
from nightflash.presets import PRESETS, settings_of
from nightflash.settings import KNOBS, Settings
from nightflash.stages import Progress, overall

if TYPE_CHECKING:
    from nightflash.engine.night import Night
    from nightflash.photo import Photo
    from nightflash.scene import Aim

FAULT = 2
ALL_BUT_BLACK = 0.02  # of white; the aim takes such a mask for empty


def add(commands: Any) -> None:
    """Add the command to argparse's ``commands``."""
    parser = commands.add_parser(
        "render",
        help="make the night of one photo or several",
        usage="nightflash render PHOTO... OUT [OPTIONS]",
        allow_abbrev=False,
    )
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
        (parser, "--seed", "N", KNOBS["seed"].help),
        (parser, "--debug-dir", "DIR", "write depth, mask, target and refined pictures here"),
    ):
        kind = Path if shape in ("FILE", "DIR") else str
        owner.add_argument(name, metavar=shape, type=kind, help=text)
    for owner, name, text in (
        (aim, "--subject-point", "a point on the main object, in pixels; again for each further"),
        (parser, "--not-point", "a point on what is no main object; again for each further"),
    ):
        owner.add_argument(name, metavar="X,Y", action="append", default=[], help=text)
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help=f"a kind of night to begin with, before --set: {', '.join(PRESETS)},"
        " or one of your own",
    )
    for name in ("method", "quality"):
        parser.add_argument(f"--{name}", choices=KNOBS[name].choices, help=KNOBS[name].help)
    add_networks(parser)
    parser.add_argument(
        "--via-backend",
        action="store_true",
        help="let the backend do the work; it is started where none runs",
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="any setting; see: nightflash settings",
    )
    keep = parser.add_mutually_exclusive_group()
    for option, kept, text in (
        ("--strip-gps", "no places", "leave out where the photo was taken, and maker notes"),
        ("--strip-all", "nothing", "leave out all metadata but colour space and resolution"),
    ):
        keep.add_argument(
            option, dest="keep", action="store_const", const=kept, default="all", help=text
        )
    parser.add_argument(
        "--file-quality",
        metavar="N",
        help="1 to 100, of JPEG, WebP, AVIF and JPEG XL; without it a JPEG's own, or 95",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object about the work")
    parser.set_defaults(run=_render)


def _render(options: argparse.Namespace) -> int:
    settings = _chosen_settings(options)
    box = _numbers(options.subject_box, 4, "--subject-box")
    points = [_point(text, "--subject-point") for text in options.subject_point]
    removed = [_point(text, "--not-point") for text in options.not_point]
    if options.weights is not None and not is_folder(options.weights):
        raise NightFlashError(f"There is no folder {options.weights} of network files.")
    _check_backend_options(options)
    with no_empty_folder(options.paths[-1]):
        return _render_all(options, settings, box, points, removed)


def _render_all(
    options: argparse.Namespace,
    settings: Settings,
    box: tuple[float, ...] | None,
    points: Sequence[tuple[float, float]],
    removed: Sequence[tuple[float, float]],
) -> int:
    jobs = _checked_jobs(options)
    from nightflash.photo import check_output, read_mask, write_photo
    from nightflash.scene import Aim, Click

    quality = _file_quality(options.file_quality)
    if len(jobs) == 1:
        check_output(jobs[0].out)
    mask = read_mask(options.subject_mask) if options.subject_mask is not None else None
    if mask is not None and 0 < mask.max() <= ALL_BUT_BLACK:
        raise NightFlashError(
            f"The brightest value of the mask {options.subject_mask} is {mask.max():.1%} of white.",
            "White is the object: stretch the mask's values to black and white.",
            code="bad_aim",
        )
    aim = Aim(
        mask,
        (box[0], box[1], box[2], box[3]) if box else None,
        points[0] if points else None,
        (*(Click(x, y) for x, y in points[1:]), *(Click(x, y, adds=False) for x, y in removed)),
    )
    reports: list[dict[str, Any]] = []
    with ExitStack() as stack:
        maker: Maker | None = None
        for job in jobs:
            try:
                photo = _read(job, aim)
                check_output(job.out)
            except NightFlashError as fault:
                streams.tell(f"nightflash: {fault}")
                continue
            maker = maker or stack.enter_context(_maker(options))
            try:
                made = _with_progress(maker, photo, settings, aim, job.source.name)
                lost = write_photo(job.out, made.photo, quality=quality, keep=options.keep)
                if made.night is not None and options.debug_dir is not None:
                    from nightflash.commands.debug import write_debug

                    write_debug(job.debug_files(options.debug_dir), made.night)
            except NightFlashError as fault:
                streams.tell(f"nightflash: {job.source}: {fault}")
                continue
            notes = [*photo.source.notes, *made.report["notes"], *lost]
            names = {"photo": streams.text(job.source), "out": streams.text(job.out)}
            reports.append({**names, **made.report, "notes": notes})
            for note in notes:
                streams.tell(f"{job.source.name}: {note}")
            if not options.json:
                streams.put(str(job.out))
    if options.json and reports:
        streams.put(json.dumps(reports[0] if len(jobs) == 1 else {"photos": reports}))
    return 0 if len(reports) == len(jobs) else FAULT


def _check_backend_options(options: argparse.Namespace) -> None:
    if not options.via_backend:
        return
    if options.debug_dir is not None:
        raise NightFlashError(
            "The backend keeps no debug pictures.", "Leave out --debug-dir or --via-backend."
        )
    own = {"--networks": options.networks != "auto", "--device": options.device != "auto"}
    own["--weights"] = options.weights is not None
    for name in [name for name, given in own.items() if given]:
        raise NightFlashError(
            f"{name} is the backend's own choice.",
            f"Stop it with 'nightflash stop' and start it with 'nightflash serve {name} ...'.",
        )


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
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always", FutureWarning)
        base = None if options.preset is None else settings_of(options.preset)
        settings = Settings.from_words(words, base)
    for note in notes:
        streams.tell(f"nightflash: {note.message}")
    return settings


def _point(text: str, option: str) -> tuple[float, float]:
    numbers = _numbers(text, 2, option)
    assert numbers is not None
    return numbers[0], numbers[1]


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


def _file_quality(word: str | None) -> int | None:
    if word is None:
        return None
    if not word.isdecimal() or not 1 <= int(word) <= 100:
        raise NightFlashError(f"--file-quality takes 1 to 100, not {word!r}.", code="bad_setting")
    return int(word)


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


@dataclass(frozen=True)
class Made:
    """A night, and what is told of it.

    Attributes:
        photo: The night.
        report: For ``--json``.
        night: What it was made from, where it was made in this process.
    """

    photo: Photo
    report: dict[str, Any]
    night: Night | None = None


Maker = Callable[["Photo", Settings, "Aim", Progress], Made]


@contextmanager
def _maker(options: argparse.Namespace) -> Iterator[Maker]:
    """What makes nights: an engine in this process, or the backend."""
    if options.via_backend:
        from nightflash.client.client import Client
        from nightflash.commands.via_backend import render_remotely

        with Client() as client:
            yield lambda *work: Made(*render_remotely(client, *work))
        return
    from nightflash.engine.engine import Engine

    engine = Engine(options.networks, options.weights, options.device)
    engine.load()

    def here(photo: Photo, settings: Settings, aim: Aim, progress: Progress) -> Made:
        def stage_by_stage(stage: str, fraction: float) -> None:
            progress(stage, overall(settings.quality, stage, fraction))

        night = engine.render(photo, settings, aim, progress=stage_by_stage)
        return Made(night.photo, asdict(night.report), night)

    yield here


def _with_progress(maker: Maker, photo: Photo, settings: Settings, aim: Aim, name: str) -> Made:
    if not sys.stderr.isatty():
        return maker(photo, settings, aim, lambda stage, done: None)
    from tqdm import tqdm

    layout = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(total=100, desc=name, leave=False, bar_format=layout) as bar:

        def advance(stage: str, done: float) -> None:
            bar.set_description(f"{name}, {stage}", refresh=False)
            bar.n = 100 * done
            bar.refresh()

        return maker(photo, settings, aim, advance)
