from __future__ import annotations

import math
import re

import pytest

from engine import settings
from engine.errors import SettingError
from engine.settings import SETTINGS, Setting, Settings, Value

NUMBERS = [row for row in SETTINGS.values() if row.type in (int, float)]
CHOICES = [row for row in SETTINGS.values() if row.choices]
ROWS = list(SETTINGS.values())


def label(row: object) -> str:
    return row.key if isinstance(row, Setting) else str(row)


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_a_default_is_allowed_and_explained(row: Setting) -> None:
    assert settings.check(row, row.default, "here") == row.default
    assert type(row.default) is row.type
    assert row.help.endswith(".")
    assert "\n" not in row.help
    assert len(row.help) <= 100


@pytest.mark.parametrize("row", NUMBERS, ids=label)
def test_a_range_is_said_exactly_and_holds_at_both_ends(row: Setting) -> None:
    found = re.fullmatch(r"a (whole )?number from (\S+) to (\S+)", row.allowed)
    assert found is not None
    assert (float(found[2]), float(found[3])) == (row.minimum, row.maximum)
    assert row.minimum is not None
    assert row.maximum is not None
    for end in (row.minimum, row.maximum):
        assert settings.check(row, row.type(end), "here") == end
    one = 1 if row.type is int else 1e-12
    for outside in (row.type(row.minimum - one), row.type(row.maximum + one * max(1, row.maximum))):
        with pytest.raises(SettingError, match=re.escape(row.allowed)):
            settings.check(row, outside, "here")


@pytest.mark.parametrize("row", CHOICES, ids=label)
def test_only_the_choices_are_allowed(row: Setting) -> None:
    for choice in row.choices:
        assert settings.check(row, choice, "here") == choice
        with pytest.raises(SettingError, match=f"one of {', '.join(row.choices)}"):
            settings.check(row, choice.upper() + "!", "here")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("training.epochs", True),
        ("training.epochs", 5.0),
        ("training.epochs", "5"),
        ("training.epochs", None),
        ("training.epochs", [5]),
        ("training.dropout", True),
        ("training.dropout", "0.1"),
        ("training.dropout", math.nan),
        ("training.learning_rate", math.inf),
        ("training.learning_rate", 10**400),
        ("dataset.asr_model", 3),
        ("dataset.asr_model", False),
        ("training.device", None),
    ],
)
def test_a_wrong_type_is_told_with_place_key_value_and_remedy(key: str, value: object) -> None:
    row = SETTINGS[key]
    with pytest.raises(SettingError) as caught:
        settings.check(row, value, "project.toml")
    message = str(caught.value)
    for part in ("project.toml", key, repr(value), row.allowed):
        assert part in message


def test_a_whole_number_is_a_number() -> None:
    value = settings.check(SETTINGS["training.gradient_clip"], 2, "here")
    assert (type(value), value) == (float, 2.0)


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("epoch", "epochs"),
        ("training.epoch", "training.epochs"),
        ("lerning_rate", "learning_rate"),
        ("training.min_clip_seconds", "dataset.min_clip_seconds"),
        ("batchsize", "batch_size"),
    ],
)
def test_an_unknown_key_names_the_nearest(key: str, nearest: str) -> None:
    with pytest.raises(SettingError) as caught:
        settings.find(key, "project.toml")
    assert f"project.toml: there is no setting {key!r}. Did you mean {nearest}?" == str(
        caught.value
    )


def test_nothing_is_guessed_for_a_key_like_none() -> None:
    with pytest.raises(SettingError) as caught:
        settings.find("\x1bzzzz", "--set")
    assert "Did you mean" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_a_key_is_found_with_and_without_its_section(row: Setting) -> None:
    assert settings.find(row.key, "here") is row
    assert settings.find(row.name, "here") is row


def test_assignments_are_read_in_their_types() -> None:
    assert settings.parse_assignments(
        [
            "epochs=5",
            "training.learning_rate = 1e-5",
            "asr_model=/a folder/with=equals",
            "dropout=0",
        ]
    ) == {
        "training.epochs": 5,
        "training.learning_rate": 1e-5,
        "dataset.asr_model": "/a folder/with=equals",
        "training.dropout": 0.0,
    }


def test_the_last_assignment_of_a_key_holds() -> None:
    assert settings.parse_assignments(["epochs=5", "training.epochs=6"]) == {"training.epochs": 6}


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("epochs", "'epochs' should look like key=value"),
        ("epochs=", "training.epochs is ''"),
        ("epochs=many", "training.epochs is 'many'"),
        ("epochs=2.5", "training.epochs is '2.5', but must be a whole number"),
        ("epochs=0", "training.epochs is 0, but must be a whole number from 1 to 10000"),
        ("dropout=nan", "training.dropout is nan"),
        ("dropout=1e999", "training.dropout is inf"),
        ("device=tpu", "training.device is 'tpu', but must be one of auto, cpu, cuda"),
        ("=5", "there is no setting ''"),
    ],
)
def test_a_bad_assignment_is_told(pair: str, message: str) -> None:
    with pytest.raises(SettingError, match=r"^--set: ") as caught:
        settings.parse_assignments([pair])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("False", False), ("yes", None), ("1", None)]
)
def test_a_switch_is_true_or_false(text: str, value: bool | None) -> None:
    switch = Setting("training", "switch", bool, False, "A switch.")
    if value is None:
        with pytest.raises(SettingError, match="true or false"):
            settings.parse(switch, text, "here")
    else:
        assert settings.parse(switch, text, "here") is value


def test_later_layers_win() -> None:
    layers: list[dict[str, Value]] = [
        {"training.epochs": 20, "training.seed": 7},
        {"training.epochs": 30},
    ]
    resolved = settings.resolve(*layers)
    assert resolved.training.epochs == 30
    assert resolved.training.seed == 7
    assert resolved.dataset == Settings().dataset
    assert settings.resolve() == Settings()


def test_tables_and_flat_keys_are_the_same_thing() -> None:
    values: dict[str, Value] = {row.key: row.default for row in ROWS}
    tables = settings.as_tables(values)
    assert set(tables) == set(settings.SECTIONS)
    assert settings.read_tables(tables, "here") == values


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"training": 3}, r"\[training\] must be a table"),
        ({"training": {"epoch": 3}}, "Did you mean training.epochs"),
        ({"dataset": {"eval_share": 0.9}}, "a number from 0.02 to 0.5"),
    ],
)
def test_bad_tables_are_told(document: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        settings.read_tables(document, "project.toml")


def test_the_default_rate_is_what_every_peer_ships() -> None:
    assert Settings().training.learning_rate == 5e-6
    assert "1e-5 balanced" in SETTINGS["training.learning_rate"].help
