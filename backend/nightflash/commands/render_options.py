"""The options of ``nightflash render`` that ``batch`` shares for the most part, and their sense."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

from nightflash.client.remotes import remote_named
from nightflash.commands import streams
from nightflash.commands.networks import add_networks
from nightflash.commands.results import is_folder
from nightflash.errors import NightFlashError
from nightflash.presets import PRESETS, settings_of
from nightflash.settings import SETTING_INFO, Settings


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add photos, result and options to a parser."""
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
        "--via-backend",
        nargs="?",
        const="",
        metavar="NAME",
        help="let the backend do the work; it is started where none runs. With NAME, a remote's:"
        " see 'nightflash remote'",
    )
    add_making(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object about the work")


def add_making(parser: argparse.ArgumentParser) -> None:
    """Add how nights are made and stored, whatever the photo."""
    parser.add_argument("--seed", metavar="N", help=SETTING_INFO["seed"].help)
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help=f"a kind of night to begin with, before --set: {', '.join(PRESETS)},"
        " or one of your own",
    )
    for name in ("method", "quality"):
        parser.add_argument(
            f"--{name}", choices=SETTING_INFO[name].choices, help=SETTING_INFO[name].help
        )
    add_networks(parser)
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


def check_weights(options: argparse.Namespace) -> None:
    """Raise `NightFlashError` where the folder of network files is none."""
    if options.weights is not None and not is_folder(options.weights):
        raise NightFlashError(f"There is no folder {options.weights} of network files.")


def check_backend_options(options: argparse.Namespace) -> None:
    """Refuse options that a backend has chosen for itself.

    Raises:
        NightFlashError: With what to do.
    """
    if options.via_backend is None:
        return
    if options.via_backend:
        remote_named(options.via_backend)
    if options.debug_dir is not None:
        raise NightFlashError(
            "The backend keeps no debug pictures.", "Leave out --debug-dir or --via-backend."
        )
    own = {"--networks": options.networks != "auto", "--device": options.device != "auto"}
    own["--weights"] = options.weights is not None
    there = f" on {options.via_backend}" if options.via_backend else ""
    for name in [name for name, given in own.items() if given]:
        raise NightFlashError(
            f"{name} is the backend's own choice.",
            f"Stop it{there} with 'nightflash stop' and start it with"
            f" 'nightflash serve {name} ...'.",
        )


def chosen_settings(options: argparse.Namespace) -> Settings:
    """The settings that the options mean.

    Raises:
        NightFlashError: ``bad_setting``.
    """
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
        streams.print_error(f"nightflash: {note.message}")
    return settings


def point(text: str, option: str) -> tuple[float, float]:
    """Read X,Y in pixels; raises `NightFlashError` (``bad_aim``) for anything else."""
    x, y = _numbers(text, "X,Y", option)
    return x, y


def box(text: str | None, option: str) -> tuple[float, float, float, float] | None:
    """Read X,Y,W,H in pixels; raises `NightFlashError` (``bad_aim``) for anything else."""
    if text is None:
        return None
    x, y, width, height = _numbers(text, "X,Y,W,H", option)
    return x, y, width, height


def _numbers(text: str, shape: str, option: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != len(shape.split(",")):
        raise NightFlashError(f"{option} takes {shape} in pixels, not {text!r}.", code="bad_aim")
    return numbers


def file_quality(word: str | None) -> int | None:
    """Read the quality of files; raises `NightFlashError` (``bad_setting``) for anything else."""
    if word is None:
        return None
    if not word.isdecimal() or not 1 <= int(word) <= 100:
        raise NightFlashError(f"--file-quality takes 1 to 100, not {word!r}.", code="bad_setting")
    return int(word)
