"""The plug-in's catalogues: every text is in them, translated, and they are what GIMP is given."""

from __future__ import annotations

import ast
import re
import runpy
from collections import Counter
from collections.abc import Iterable, Iterator
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.pofile import read_po
from nightflash.models.coco import CLASSES
from nightflash.presets import PRESETS
from nightflash.settings import SETTING_INFO
from nightflash.stages import STAGE_WORDS

from tests.install.machine import CHECKOUT

PLUGIN = CHECKOUT / "gimp_plugin" / "nightflash_filter"
CATALOGUES = sorted((PLUGIN / "locale").glob("*/LC_MESSAGES/nightflash.po"))
PACKAGE = CHECKOUT / "backend" / "nightflash"
TABLES = ("VIEWS", "OUTPUTS", "ON_NIGHT", "STATES", "FACTS", "INSTEAD", "LABELS")
NAMES = runpy.run_path(str(PLUGIN / "plugin" / "labels.py"))
LABELS: dict[str, str] = NAMES["LABELS"]
PRESET_NAMES: dict[str, str] = NAMES["PRESET_NAMES"]


def texts() -> set[str]:
    """Every text that the plug-in shows in the user's language."""
    found = {text for file in PLUGIN.rglob("*.py") for text in in_source(file)}
    for info in SETTING_INFO.values():
        found |= {info.label, info.help, info.group}
        found |= {word.capitalize() for word in info.choices if word != "preview"}
    found |= {PRESET_NAMES.get(n, n.replace("-", " ").capitalize()) for n in PRESETS}
    found |= {*STAGE_WORDS.values(), *(f"the {name}" for name in CLASSES), "the main object"}
    found |= {"the region"}
    for file in (CHECKOUT / "backend/nightflash/client").glob("*.py"):
        found |= set(
            re.findall(r'report_progress\(START, 0\.0, "([^"]+)"\)', file.read_text("utf-8"))
        )
    return found


def in_source(file: Path) -> Iterator[str]:
    """Texts in one file: what ``_`` and ``explain`` are given, and tables of texts."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="_"), args=[ast.Constant(value=str(text))]):
                yield text
            case ast.Call(func=ast.Name(id="explain"), args=[_, ast.Constant(value=str(text))]):
                yield text
            case ast.Call(args=[_, _, ast.Constant(value=str(text))]) if "_choice" in ast.dump(
                node.func
            ):
                yield text
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(values=values)):
                if name in TABLES:
                    yield from (v.value for v in values if isinstance(v, ast.Constant))  # type: ignore[misc]
            case ast.Assign(targets=[ast.Name(id="FAULTS")], value=ast.Tuple(elts=elements)):
                yield from (e.value for e in elements if isinstance(e, ast.Constant))  # type: ignore[misc]
            case ast.Assign(targets=[ast.Name(id="MORE")], value=ast.Constant(value=str(text))):
                yield text


def templates(rooms: Iterable[str], *, faults: bool = False) -> set[str]:
    """Sentences in the source of rooms, with braces where it fills something in.

    Args:
        rooms: Folders of the package, or files.
        faults: The sentences of faults alone, not their remedies.
    """
    found: set[str] = set()
    places = [PACKAGE / room for room in rooms]
    for file in (f for p in places for f in ([p] if p.is_file() else p.rglob("*.py"))):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="NightFlashError"), args=[sentence, *_]):
                    found |= template(sentence)
                case ast.Constant() | ast.JoinedStr() if not faults:
                    found |= template(node)
    return found


def template(node: ast.expr) -> set[str]:
    """A text in the source as one template; none of what is no text."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.JoinedStr(values=parts):
            texts = (part.value if isinstance(part, ast.Constant) else "{}" for part in parts)
            return {"".join(map(str, texts))}
    return set()


def faults() -> set[str]:
    """The backend's sentences that the plug-in translates."""
    return set(in_source(PLUGIN / "plugin" / "faults.py"))


def test_the_backends_faults_are_known() -> None:
    """What a user of the dialog can meet; the rest is for programs and the command line."""
    others = {"No backend runs.", "Strokes are an array (h, w) of finite numbers."}
    others |= {text for text in templates(["client"], faults=True) if " of the protocol" in text}
    elsewhere = [f"server/{name}.py" for name in ("reception", "uploads")]
    others |= {"An invitation lets nobody do that."}
    others |= {t for t in templates(elsewhere, faults=True) if " is for the server's owner" in t}
    met = templates(["client", "engine", "scene", "fullsize", *elsewhere], faults=True)
    assert sorted(met - others - faults()) == []
    written = templates(["."]) | {f"{t} Its last words: {{}}" for t in templates(["client"])}
    assert sorted(faults() - written) == []


def test_faults_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PLUGIN))
    with CATALOGUES[0].with_suffix(".mo").open("rb") as file:
        german = GNUTranslations(file)
    module = runpy.run_path(str(PLUGIN / "plugin" / "faults.py"))
    own = module["in_own_language"]
    monkeypatch.setitem(own.__globals__, "_", german.gettext)
    assert own("The backend ended unexpectedly.").startswith("Das Hintergrundprogramm")
    assert (
        own("/a {b} cannot be read: No such file.")
        == "/a {b} lässt sich nicht lesen: No such file."
    )
    assert own("The mask is 3 x 4 pixels and the photo 5 x 6.").endswith("das Foto 5 x 6.")
    told = "PyTorch finds no usable GPU: if there is one, update its driver."
    assert own(told) == german.gettext(told) != told
    assert own("") == ""
    assert own("What nobody knows.") == "What nobody knows."
    both = own("studio is cut off. Connecting again.")
    assert "studio" in both
    assert both.endswith(". " + german.gettext("Connecting again."))
    assert module["parted"]("/a b. c cannot be read: No such file.")[1] == ""
    fault, remedy = module["parted"](
        "studio does not answer at tcp://192.168.1.20:5577. See that 'nightflash serve --listen'"
        " runs there and no firewall is between."
    )
    assert fault.endswith(":5577.")
    assert remedy.startswith("See")


@pytest.fixture(params=CATALOGUES, ids=lambda path: path.parts[-3])
def path(request: pytest.FixtureRequest) -> Path:
    assert isinstance(request.param, Path)
    return request.param


@pytest.fixture
def catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], abort_invalid=True)


def test_there_is_one() -> None:
    assert "de" in [path.parts[-3] for path in CATALOGUES]
    assert len(texts()) > 200


def test_every_text_is_translated_and_none_is_left_over(catalogue: Catalog) -> None:
    known = {str(message.id): message for message in catalogue if message.id}
    assert sorted(texts() - set(known)) == []
    assert sorted(set(known) - texts()) == []
    assert not [name for name, message in known.items() if not message.string]
    assert not [name for name, message in known.items() if message.fuzzy]


def test_places_are_filled_as_in_the_text(catalogue: Catalog) -> None:
    for message in catalogue:
        if message.id:
            wanted, found = str(message.id), str(message.string)
            assert found.count("{}") == wanted.count("{}"), found
            assert found.count("_") == wanted.count("_"), found
            assert wanted[:1].isspace() == found[:1].isspace(), found
            assert wanted.endswith(".") == found.endswith("."), found


def test_letters_for_alt_are_each_used_once(catalogue: Catalog) -> None:
    labels = [info.label for info in SETTING_INFO.values()] + list(LABELS.values())
    for shown in (labels, [str(catalogue.get(label).string) for label in labels]):  # type: ignore[union-attr]
        letters = Counter(label[label.index("_") + 1].lower() for label in shown)
        assert max(letters.values()) == 1, letters
        assert all(letter.isascii() and letter.isalpha() for letter in letters), letters
        assert "r" not in letters  # GIMP's own Reset


def test_letters_in_the_window_of_the_backend_too(catalogue: Catalog) -> None:
    files = [PLUGIN / "plugin" / f"{name}.py" for name in ("backend_window", "computers")]
    labels = {text for file in files for text in in_source(file) if "_" in text}
    for shown in (labels, {str(catalogue.get(label).string) for label in labels}):  # type: ignore[union-attr]
        letters = Counter(label[label.index("_") + 1].lower() for label in shown)
        assert max(letters.values()) == 1, letters


def test_the_compiled_one_is_of_today(path: Path, catalogue: Catalog) -> None:
    """`pybabel compile -i nightflash.po -o nightflash.mo` in its folder makes it."""
    with path.with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    for message in catalogue:
        if message.id:
            assert compiled.gettext(str(message.id)) == message.string


def test_every_catalogue_has_a_page_of_help(catalogue: Catalog) -> None:
    for page in ("help.en.html", str(catalogue.get("help.en.html").string)):  # type: ignore[union-attr]
        text = (PLUGIN / "help" / page).read_text("utf-8")
        assert "</html>" in text
        assert "http" not in text  # nothing is fetched
