from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightflash import NightFlashError, Settings
from nightflash.cli import main
from nightflash.presets import NO_TASTE, PRESETS, look_of, settings_of
from nightflash.setting_info import word
from nightflash.settings import (
    DEFAULTS,
    SETTING_INFO,
    legal_values,
)


def legal(name: str) -> st.SearchStrategy[Any]:
    info, default = SETTING_INFO[name], DEFAULTS[name]
    if info.choices:
        return st.sampled_from(info.choices)
    if isinstance(default, bool):
        return st.booleans()
    if isinstance(default, int):
        return st.integers(int(info.low), int(info.high))
    numbers: st.SearchStrategy[Any] = st.floats(info.low, info.high)
    return numbers | st.none() if info.can_be_off else numbers


def set_or_refused(
    make: Callable[[dict[str, Any]], Settings], values: dict[str, Any]
) -> Settings | NightFlashError:
    try:
        return make(values)
    except NightFlashError as fault:
        return fault


EVERY = st.fixed_dictionaries({}, optional={name: legal(name) for name in SETTING_INFO})
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


@given(EVERY)
def test_legal_values_are_kept(values: dict[str, Any]) -> None:
    settings = Settings.from_values(values)
    assert {name: getattr(settings, name) for name in values} == values
    assert Settings.from_values(dataclasses.asdict(settings)) == settings
    assert Settings.from_values(json.loads(json.dumps(dataclasses.asdict(settings)))) == settings


@given(EVERY)
def test_what_is_typed_is_what_is_set(values: dict[str, Any]) -> None:
    typed = {
        name: repr(value) if isinstance(value, float) else word(value)
        for name, value in values.items()
    }
    assert Settings.from_words(typed) == Settings.from_values(values)


@given(st.sampled_from(sorted(SETTING_INFO)), ANYTHING)
def test_any_value_is_set_or_refused_in_a_sentence(name: str, value: Any) -> None:
    result = set_or_refused(Settings.from_values, {name: value})
    if isinstance(result, Settings):
        assert getattr(result, name) == value
    else:
        assert name in result.sentence
        assert legal_values(name) in result.sentence


@given(st.sampled_from(sorted(SETTING_INFO)), st.text(max_size=20))
def test_any_word_is_set_or_refused_in_a_sentence(name: str, text: str) -> None:
    result = set_or_refused(Settings.from_words, {name: text})
    if isinstance(result, Settings):
        assert Settings.from_values(dataclasses.asdict(result)) == result
    else:
        assert result.code == "bad_setting"


@pytest.mark.parametrize("name", [n for n, d in DEFAULTS.items() if type(d) in (int, float)])
def test_the_range_is_inclusive_and_ends_there(name: str) -> None:
    info, kind = SETTING_INFO[name], type(DEFAULTS[name])
    for edge in (info.low, info.high):
        Settings.from_values({name: kind(edge)})
    below, above = (
        (info.low - 1, info.high + 1)
        if kind is int
        else (math.nextafter(info.low, -math.inf), math.nextafter(info.high, math.inf))
    )
    for outside in (below, above, math.nan, math.inf, -math.inf, 10**400):
        with pytest.raises(NightFlashError, match=name):
            Settings.from_values({name: outside})


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ({"ambient": "off"}, None),
        ({"ambient": " OFF "}, None),
        ({"grain": "off"}, None),
        ({"flash": "off"}, False),
        ({"flash": "No"}, False),
        ({"several": "true"}, True),
        ({"several": "1"}, True),
        ({"seed": " 7 "}, 7),
        ({"falloff": "2"}, 2.0),
    ],
)
def test_words(words: dict[str, str], value: object) -> None:
    (name,) = words
    assert getattr(Settings.from_words(words), name) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("seed", "off"),
        ("seed", "1.5"),
        ("falloff", "off"),
        ("falloff", "nan"),
        ("falloff", "1e999"),
        ("flash", "maybe"),
        ("flash", ""),
        ("method", "Flash"),
        ("quality", ""),
    ],
)
def test_words_that_are_refused(name: str, text: str) -> None:
    with pytest.raises(NightFlashError, match=f"{name!r} cannot be"):
        Settings.from_words({name: text})


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        NightFlashError, match=r"no setting named \'falof\'\. Did you mean \'falloff\'\?"
    ):
        Settings.from_words({"falof": "1"})
    with pytest.raises(NightFlashError, match="See: nightflash settings"):
        Settings.from_values({"zzz": 1})


def test_settings_go_over_a_base() -> None:
    base = Settings(falloff=0.5, seed=3)
    settings = Settings.from_words({"seed": "4"}, base)
    assert (settings.falloff, settings.seed) == (0.5, 4)
    assert base.seed == 3


def test_every_knob_explains_itself() -> None:
    for name, info in SETTING_INFO.items():
        assert info.help.endswith("."), name
        assert info.group, name
        assert "%" not in info.help, name  # argparse would read it as a format
        Settings.from_values({name: DEFAULTS[name]})


def test_the_listing_can_be_typed_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings"]) == 0
    lines = capsys.readouterr().out.splitlines()
    pairs = [line.split()[0].split("=") for line in lines if "=" in line.split()[0]]
    assert [name for name, _ in pairs] == list(SETTING_INFO)
    assert Settings.from_words(dict(pairs)) == Settings()
    for name in SETTING_INFO:
        assert f"({legal_values(name)})" in "\n".join(lines)


def test_the_listing_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert {name: entry["default"] for name, entry in table.items()} == DEFAULTS
    assert (table["falloff"]["low"], table["falloff"]["high"]) == (0, 2)
    assert table["quality"]["choices"] == ["preview", "fast", "best"]


def test_how_far_it_is_night() -> None:
    assert Settings(ambient=None).ambient_gain == 0
    assert Settings(ambient=-1.0).ambient_gain == 0.5
    assert [Settings(ambient=a).nightness for a in (1, 0, -1, -2, -9, None)] == [0, 0, 0.5, 1, 1, 1]
    assert Settings(ambient=0, flash=False).is_daylight
    changes: tuple[dict[str, Any], ...] = (
        {"ambient": -0.1},
        {"ambient": None},
        {"flash": True},
        {"purkinje": 0.1},
        {"method": "published"},
    )
    for change in changes:
        assert not Settings(**{"ambient": 0, "flash": False, **change}).is_daylight


@pytest.mark.parametrize(("old", "new"), [(0.5, 1.0), (0.0, 0.0), (0.2, 0.4), (2.0, 1.0)])
def test_an_old_name_is_still_read_with_a_note(old: float, new: float) -> None:
    with pytest.warns(FutureWarning, match="'emphasis' has become 'night'"):
        assert Settings.from_values({"emphasis": old}).night == pytest.approx(new)
    with pytest.warns(FutureWarning, match="'night'"):
        assert Settings.from_words({"emphasis": str(old)}).night == pytest.approx(new)


def test_nonsense_under_an_old_name_is_refused_under_the_new() -> None:
    with pytest.warns(FutureWarning), pytest.raises(NightFlashError, match="'night'"):
        Settings.from_words({"emphasis": "much"})


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_how_the_night_looks_and_no_more(name: str) -> None:
    settings, look = settings_of(name), look_of(name)
    assert settings_of(f" {name.upper().replace('-', ' ')}") == settings
    assert look == {k: v for k, v in dataclasses.asdict(settings).items() if k not in NO_TASTE}
    assert not set(PRESETS[name]) & set(NO_TASTE)
    assert all(DEFAULTS[key] != value for key, value in PRESETS[name].items())


def test_presets_differ() -> None:
    assert len({settings_of(name) for name in PRESETS}) == len(PRESETS)
    assert settings_of("flash-at-night") == Settings()


def test_an_unknown_preset_is_answered_with_all(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NightFlashError, match="no preset named 'sunny'") as fault:
        settings_of("sunny")
    assert all(name in str(fault.value) for name in PRESETS)
    assert main(["render", "there-is-no.jpg", "out.jpg", "--preset", "sunny"]) == 2
    assert "no preset named 'sunny'" in capsys.readouterr().err


def test_the_listing_tells_what_presets_change(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings"]) == 0
    _, _, printed = capsys.readouterr().out.partition("Presets:\n")
    for line, (name, changes) in zip(printed.splitlines(), PRESETS.items(), strict=True):
        words = dict(
            pair.split("=") for pair in line.strip(")").replace("(", "").split() if "=" in pair
        )
        assert line.split()[0] == name
        assert Settings.from_words(words) == settings_of(name), changes
