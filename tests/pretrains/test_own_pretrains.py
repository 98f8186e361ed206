"""A person's own pretrains.toml: what it adds, what it changes, and when it cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import places
from engine.errors import InputError, RefusedError, SettingError
from engine.pretrains import own
from engine.pretrains.catalogue import entries, entries_to_show, find
from engine.pretrains.entry import Entry, WeightsFile

SHA = "0123456789abcdef" * 4
COMMIT = "0123456789" * 4


def write(text: str) -> Path:
    path = places.config_dir() / "pretrains.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_an_own_pretrain_is_added_behind_ours() -> None:
    before = entries()
    write(
        '["Größe"]\nauthor = "Anna"\nlanguages = ["de", "gsw"]\n'
        f'["Größe".40k]\nG = {{ path = "v2/G.pth", size = 5, sha256 = "{SHA}" }}\n'
        '["Größe".24000]\nhours = 3\n'
    )
    lower, upper = (entry for entry in entries() if entry not in before)
    assert (lower.slug, lower.hours, lower.author) == ("gr-e-24k", 3.0, "Anna")
    assert upper.files == (WeightsFile("v2/G.pth", "G", 5, SHA),)
    assert (upper.folder, upper.languages, upper.origin) == ("v2", ("de", "gsw"), "own")
    assert upper.is_verified
    assert [entry for entry in entries() if entry in before] == list(before)


def test_a_field_is_changed_and_the_others_stay() -> None:
    before = find("titan-40k")
    write('[titan.40k]\nlicence = "mine"\nG = { path = "other/G.pth" }\n')
    after = find("titan-40k")
    assert (after.name, after.licence, after.origin) == ("TITAN", "mine", "own")
    # What was known of the other file does not hold for this one.
    assert after.files == (WeightsFile("other/G.pth", "G"), before.files[1])
    assert not after.is_verified
    kept = ("rate", "author", "repository", "revision", "hours", "kind", "parent")
    assert [getattr(after, key) for key in kept] == [getattr(before, key) for key in kept]
    assert find("titan-48k").origin == "catalogue"


def test_what_holds_at_every_rate_is_changed_at_every_rate() -> None:
    write(
        '[TITAN]\nrepository = "me/mirror"\nhours = 5\n'
        f'[TITAN.48k]\nrevision = "{COMMIT}"\nhours = 7\n[TITAN.24k]\n'
    )
    titans = [entry for entry in entries() if entry.name == "TITAN"]
    assert [entry.rate for entry in titans] == [24000, 32000, 40000, 48000]
    assert {entry.repository for entry in titans} == {"me/mirror"}
    assert [entry.hours for entry in titans] == [5, 5, 5, 7]
    assert find("titan-48k").revision == COMMIT
    assert find("titan-40k").revision == find("titan-32k").revision != COMMIT


def test_an_own_pretrain_needs_a_rate() -> None:
    path = write('[Anna]\nauthor = "Anna"\n')
    with pytest.raises(SettingError, match=r'has no rate.*\["Anna"\.40k\]') as caught:
        entries()
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[x", "not valid TOML"),
        (b"\xff\xfe", "not UTF-8"),
        (b"a = " + b"[" * 5000, "not valid TOML"),
        (b"[Anna.40k]\nhours = -1\n", "hours is -1"),
        (b"[Anna]\n", "has no rate"),
    ],
)
def test_a_broken_file_hides_none_of_ours(content: bytes, told: str) -> None:
    ours = entries()
    path = write("")
    path.write_bytes(content)
    with pytest.raises(SettingError, match=told) as caught:
        find("titan-40k")
    assert str(path) in str(caught.value)
    assert entries_to_show() == (ours, str(caught.value))
    path.unlink()
    assert entries_to_show() == (ours, "")


def test_a_folder_in_its_place_is_told() -> None:
    path = places.config_dir() / "pretrains.toml"
    path.mkdir(parents=True)
    with pytest.raises(SettingError, match=r"Is a directory.*move it away"):
        entries()


ANNA = Entry(
    name='Anna\'s "best"',
    rate=40000,
    author="Anna",
    repository="anna/voices",
    folder="v2",
    revision=COMMIT,
    kind="merge",
    parent="TITAN",
    languages=("de", "en"),
    hours=2.5,
    embedder="spin",
    pitch=False,
    licence="MIT",
    licence_url="https://example.org/mit",
    files=(
        WeightsFile("v2/G.pth", "G", 5, SHA),
        WeightsFile("v3/D.pth", "D", 0, "", "f" * 40),
    ),
    note="Übung [bold]",
    origin="own",
)


def test_what_is_added_is_read_again_and_what_stood_there_stays() -> None:
    text = '# mine\n\n[TITAN] # yes\nnote = "so"   # here\n[bert.40k]'
    write(text)
    plain = Entry("Bert", 32000, origin="own")
    path = own.add([ANNA, plain])
    assert path.read_text(encoding="utf-8").startswith(text)
    assert find(ANNA.slug) == ANNA
    # The name that is there already keeps its spelling.
    assert find("bert-32k") == Entry("bert", 32000, origin="own")
    assert find("titan-40k").note == "so"
    assert [path.name for path in path.parent.iterdir()] == ["pretrains.toml"]


def test_the_first_one_makes_the_file() -> None:
    assert own.add([]) == own.path()
    assert not own.path().exists()
    own.add([ANNA])
    assert own.path().read_text(encoding="utf-8").startswith("# Your own pretrains")
    assert find(ANNA.slug) == ANNA


def test_what_is_there_is_not_replaced() -> None:
    text = own.add([ANNA]).read_bytes()
    with pytest.raises(RefusedError, match=r"at 40k already\. Remove it there"):
        own.add([Entry("Carl", 32000), ANNA])
    with pytest.raises(RefusedError, match=r"Carl at 32k already"):
        own.add([Entry("Carl", 32000), Entry("Carl", 32000)])
    assert own.path().read_bytes() == text


def test_a_broken_file_is_not_written_to() -> None:
    path = write("[x")
    with pytest.raises(SettingError, match="not valid TOML"):
        own.add([ANNA])
    assert path.read_text() == "[x"


def test_a_form_that_cannot_be_added_to_is_told() -> None:
    path = write("Anna = { 40k = {} }\n")
    with pytest.raises(InputError, match=r"Write it so") as caught:
        own.add([Entry("Anna", 32000)])
    assert str(path) in str(caught.value)
    assert path.read_text() == "Anna = { 40k = {} }\n"
