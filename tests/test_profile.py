from __future__ import annotations

from pathlib import Path

import pytest

from engine import places, profile, settings
from engine.errors import InputError, SettingError
from engine.settings import Settings

OURS = ("standard", "accent", "stylized", "new-language", "high-quality", "low-vram")


def resolved(name: str) -> Settings:
    return settings.resolve(profile.load(name).values)


def write_own(text: str, name: str = "mine.toml") -> Path:
    folder = places.config_dir() / "profiles"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_ours_are_all_there_and_explained() -> None:
    found = profile.available()
    assert set(found) == set(OURS)
    for entry in found.values():
        assert entry.origin == "voicetui"
        assert entry.summary
        assert entry.help.endswith(".")
        assert isinstance(settings.resolve(entry.values), Settings)
    assert profile.DEFAULT in found


@pytest.mark.parametrize(
    ("name", "fewest", "most"),
    [
        ("standard", 10, 15),
        ("accent", 15, 20),
        ("stylized", 20, 30),
        ("new-language", 100, 10_000),
        ("high-quality", 10, 15),
        ("low-vram", 10, 15),
    ],
)
def test_epochs_are_those_of_the_guide(name: str, fewest: int, most: int) -> None:
    assert fewest <= resolved(name).training.epochs <= most


def test_a_stylized_voice_keeps_a_low_rate() -> None:
    assert 1e-6 <= resolved("stylized").training.learning_rate <= 5e-6


def test_high_quality_is_the_guides_example() -> None:
    training = resolved("high-quality").training
    assert training.learning_rate == 1e-5
    assert training.batch_size * training.accumulation == 32
    assert training.scheduler == "cosine_restarts"


def test_low_vram_computes_one_short_clip_at_a_time() -> None:
    chosen, plain = resolved("low-vram"), resolved("standard")
    assert chosen.training.batch_size == 1
    assert chosen.training.accumulation >= plain.training.batch_size
    assert chosen.dataset.max_clip_seconds < plain.dataset.max_clip_seconds


@pytest.mark.parametrize("name", OURS)
def test_a_rate_never_ends_above_its_start(name: str) -> None:
    training = resolved(name).training
    assert training.final_learning_rate <= training.learning_rate


def test_a_persons_own_profile_wins_and_others_stay() -> None:
    path = write_own(
        '[standard]\nsummary = "Größer"\n[standard.training]\nepochs = 12\n'
        "[mine.dataset]\neval_share = 0.1\n"
    )
    own = profile.load("standard")
    assert (own.summary, own.origin) == ("Größer", str(path))
    assert resolved("standard").training.epochs == 12
    assert resolved("mine").dataset.eval_share == 0.1
    assert profile.load("mine").summary == "mine"
    assert resolved("accent").training.epochs == 20
    assert set(profile.available()) == {*OURS, "mine"}


def test_of_two_files_the_later_name_wins() -> None:
    write_own("[mine.training]\nepochs = 3\n", "a.toml")
    write_own("[mine.training]\nepochs = 4\n", "b.toml")
    assert resolved("mine").training.epochs == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[mine", "is not valid TOML"),
        ("mine = 3", r"\[mine\]: a profile is a table"),
        ("[mine]\ncolour = 3", r"\[mine\]: there is no 'colour' in a profile"),
        ("[mine.training]\nepoch = 3", r"\[mine\]: .*Did you mean training.epochs"),
        ("[mine.training]\nepochs = 0", "training.epochs is 0"),
        ("[mine]\ntraining = 4", "must be a table of settings"),
        ("[mine.training]\nepochs = " + "9" * 5000, "is not valid TOML"),
    ],
)
def test_a_bad_profile_is_told_with_its_file(text: str, message: str) -> None:
    path = write_own(text)
    with pytest.raises(SettingError, match=message) as caught:
        profile.available()
    assert str(path) in str(caught.value)


def test_a_profile_that_is_not_text_is_told_with_its_file() -> None:
    path = write_own("")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingError, match=r"mine\.toml is not valid TOML"):
        profile.available()


def test_an_unknown_name_names_the_nearest_and_all() -> None:
    with pytest.raises(InputError) as caught:
        profile.load("standart")
    assert "Did you mean standard?" in str(caught.value)
    for name in OURS:
        assert name in str(caught.value)
