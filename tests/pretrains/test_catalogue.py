"""The catalogue against the page and the records that it was made from."""

from __future__ import annotations

import csv
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from helpers_stored import keep_bytes

from engine.errors import InputError, SettingError
from engine.languages import LANGUAGES
from engine.pretrains import tables
from engine.pretrains.catalogue import Search, entries, find, search
from engine.pretrains.entry import Entry
from engine.xtts import base as bases

# The table of the AI Hub page: name, author, rate, and what its link leads to.
SEED = """
DMR V1|Razer|32|Razer112/DMR_Pretrain|
Itaila V1.0|Ilaria|32|TheStinger/itaila|
IMA|Loren85|32|Loren85/IMA-TEST-V1|
KLM 4.1|SeoulStreamingStation|32|SeoulStreamingStation/KLM4.1|
KLM 4.1|SeoulStreamingStation|48|SeoulStreamingStation/KLM4.1|
KLM 4.2|SeoulStreamingStation|40|SeoulStreamingStation/KLM4.2_TestVersion|
KLM BeatzForge|SeoulStreamingStation|32|SeoulStreamingStation/KLM_BEATMASTER|
KLM BeatzForge|SeoulStreamingStation|48|SeoulStreamingStation/KLM_BEATMASTER|
Nanashi V1.7|shiromiya|32|shiromiya/nanashi-pretrain|v1.7
Nanashi Anime v1|shiromiya|32|shiromiya/nanashi-pretrain|v1_anime
Ov2 Super|SimplCup|32|poiqazwsx/Ov2Super32kfix|
Ov2 Super|SimplCup|40|ORVC/Ov2Super|
Ov2 Super|SimplCup|48|ORVC/Ov2Super|
RIN_E3|MUSTAR|40|MUSTAR/RIN_E3|
Rigel|MUSTAR|32|MUSTAR/Rigel-rvc-base-pretrained-model|Rigel_32k_Base_and_FineTuned/FineTuned-model_32k_fp32
Rigel|MUSTAR|40|MUSTAR/Rigel-rvc-base-pretrained-model|Rigel_40k_Base_and_FineTuned/FineTuned-model_40k/Alpha
SingerPreTrain|Sztef|32|Sztef/SingerPreTrained|update
Snowie|MUSTAR|40|MUSTAR/SnowyRuPretrain_EnP_40k|
Snowie|MUSTAR|48|MUSTAR/SnowyRuPretrain_EnP_48k|
SnowieV3 X RIN_E3|MUSTAR|40|MUSTAR/SnowieV3.1-X-RinE3-40K|
SnowieV3.1|MUSTAR|32|MUSTAR/SnowieV3.1-32k|
SnowieV3.1|MUSTAR|40|MUSTAR/SnowieV3.1-40k|
SnowieV3.1|MUSTAR|48|MUSTAR/SnowieV3.1-48k|
TITAN|blaise-tk|32|blaise-tk/TITAN|models/medium/32k/pretrained
TITAN|blaise-tk|40|blaise-tk/TITAN|models/medium/40k/pretrained
TITAN|blaise-tk|48|blaise-tk/TITAN|models/medium/48k/pretrained
UKA|PlasmaTi|32|Plasmati/Pretrains|
"""
ROWS = [tuple(line.split("|")) for line in SEED.strip().splitlines()]
LATER = {
    *(("RVC v2", rate) for rate in (32000, 40000, 48000)),
    *(("RVC v2 without pitch", rate) for rate in (32000, 40000, 48000)),
    *(("KLM49_HFG", rate) for rate in (32000, 40000, 48000)),
    ("KLM 4.2", 32000),
    ("DMR V2", 32000),
    ("Legacy Core", 32000),
    ("GuideVocalPretrain", 48000),
    ("Nezox", 32000),
    ("Ov2 Super (ORVC)", 32000),
    ("Rigel Base", 32000),
}
PUBLISHED = list(
    csv.DictReader(
        (Path(__file__).parent / "published_files.tsv").open(encoding="utf-8"), delimiter="\t"
    )
)
# The kind, the hours and the languages that lists tell of an entry.
FACTS = {
    "dmr-v1-32k": ("unknown", None, ()),
    "itaila-v1.0-32k": ("finetune", 10, ("it",)),
    "ima-32k": ("finetune", 2, ()),
    "klm-4.1-32k": ("finetune", 100, ("ko", "ja", "en")),
    "klm-4.1-48k": ("finetune", 100, ("ko", "ja", "en")),
    "klm-4.2-40k": ("unknown", 146, ()),
    "klm-4.2-32k": ("unknown", None, ()),
    "klm-beatzforge-32k": ("finetune", None, ()),
    "nanashi-v1.7-32k": ("finetune", 11, ("pt",)),
    "nanashi-anime-v1-32k": ("finetune", 11, ()),
    "ov2-super-32k": ("finetune", 0.5, ("en",)),
    "rin-e3-40k": ("scratch", 140, ()),
    "rigel-32k": ("finetune", 102, ()),
    "rigel-base-32k": ("unknown", 1921, ()),
    "singerpretrain-32k": ("finetune", 14, ("en",)),
    "snowie-40k": ("unknown", None, ()),
    "snowiev3-x-rin-e3-40k": ("finetune", None, ()),
    "snowiev3.1-48k": ("finetune", 58, ("ru", "ja")),
    "titan-48k": ("finetune", 11.15, ()),
    "uka-32k": ("unknown", None, ()),
    "dmr-v2-32k": ("finetune", 22, ()),
    "klm49-hfg-40k": ("unknown", 800, ()),
    "legacy-core-32k": ("unknown", None, ()),
    "guidevocalpretrain-48k": ("finetune", None, ()),
    "nezox-32k": ("finetune", None, ()),
    "rvc-v2-40k": ("scratch", None, ()),
    "rvc-v2-without-pitch-48k": ("scratch", None, ()),
}


def rvc() -> list[Entry]:
    return [entry for entry in entries() if entry.family == "rvc"]


@pytest.mark.parametrize(("name", "author", "rate", "repository", "folder"), ROWS)
def test_every_pair_of_the_page_is_there(
    name: str, author: str, rate: str, repository: str, folder: str
) -> None:
    entry = find(name, f"{rate}k")
    assert (entry.name, entry.author, entry.rate) == (name, author, int(rate) * 1000)
    assert (entry.repository, entry.folder) == (repository, folder)
    assert (entry.family, entry.origin) == ("rvc", "catalogue")


def test_what_else_is_there_is_known_too() -> None:
    seed = {(name, int(rate) * 1000) for name, _, rate, _, _ in ROWS}
    assert (len(seed), len({name for name, _ in seed})) == (27, 17)
    assert {(entry.name, entry.rate) for entry in rvc()} == seed | LATER


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["path"].rpartition("/")[2])
def test_every_published_file_is_pinned(row: dict[str, str]) -> None:
    (found,) = [
        (entry, file)
        for entry in rvc()
        for file in entry.files
        if (entry.repository, file.path) == (row["repository"], row["path"])
    ]
    entry, file = found
    assert (file.size, file.sha256) == (int(row["bytes"]), row["sha256"])
    # "main" is no commit: what lies there is pinned by its hashes alone.
    assert entry.revision == row["revision"].replace("main", "")
    assert (file.revision, file.role) == ("", re.findall("[GD]", row["path"].split("/")[-1])[0])
    if row["name"]:
        assert entry.rate == int(row["rate"].removesuffix("k")) * 1000
        assert entry.licence == row["licence"]


def test_no_hash_or_commit_has_another_source() -> None:
    hashes = {row["sha256"] for row in PUBLISHED}
    commits = {row["revision"] for row in PUBLISHED} | {""}
    assert len(PUBLISHED) == len(hashes) == 54
    told = {file.sha256 for entry in rvc() for file in entry.files}
    assert told == hashes | {""}
    assert {entry.revision for entry in rvc()} == commits - {"main"}


@pytest.mark.parametrize(("slug", "facts"), FACTS.items())
def test_facts_are_those_of_the_lists(slug: str, facts: tuple[object, ...]) -> None:
    entry = find(slug)
    assert (entry.kind, entry.hours, entry.languages) == facts


def test_embedder_and_pitch_are_told_where_they_are_unusual() -> None:
    assert {e.name for e in rvc() if e.embedder != "contentvec"} == {"Legacy Core"}
    assert {e.name for e in rvc() if not e.pitch} == {"RVC v2 without pitch"}
    assert {e.name for e in rvc() if not e.repository} == {"DMR V2", "GuideVocalPretrain"}


def test_slugs_are_safe_names_that_nothing_shares() -> None:
    slugs = Counter(entry.slug for entry in entries())
    assert slugs.most_common(1)[0][1] == 1
    for slug in slugs:
        assert re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", slug), slug


def test_xtts_bases_are_those_that_can_be_fetched() -> None:
    xtts = {entry.name: entry for entry in entries() if entry.family == "xtts"}
    assert xtts.keys() == bases.known().keys()
    newest = xtts["xtts-v2.0.3"]
    assert (newest.slug, newest.is_verified, newest.size) == ("xtts-v2.0.3", True, 2_086_564_978)
    assert newest.languages == tuple(LANGUAGES)
    assert not xtts["xtts-v2.0.0"].is_verified
    assert {file.revision for file in xtts["xtts-v2.0.0"].files} == {"", newest.revision}


def test_what_was_made_here_is_listed_too() -> None:
    made = keep_bytes(name="Anna x Bert", origin="made", kind="merge").entry
    keep_bytes(name="TITAN")
    names = [entry.name for entry in entries()]
    assert names[-1] == "Anna x Bert"
    assert names.count("TITAN") == 3
    assert find("anna x bert") == made


@pytest.mark.parametrize(
    ("name", "rate", "slug"),
    [
        ("titan", "40k", "titan-40k"),
        ("TITAN", "40 kHz", "titan-40k"),
        ("Titan", 48000, "titan-48k"),
        ("titan-32k", None, "titan-32k"),
        ("TITAN 32k", "32000", "titan-32k"),
        ("rin_e3", None, "rin-e3-40k"),
        ("XTTS-v2.0.3", None, "xtts-v2.0.3"),
        ("ov2 super (orvc)", None, "ov2-super-orvc-32k"),
        ("KLM 4.1", "48K", "klm-4.1-48k"),
    ],
)
def test_a_name_is_found_as_people_write_it(name: str, rate: str | int | None, slug: str) -> None:
    assert find(name, rate).slug == slug


@pytest.mark.parametrize(
    ("name", "rate", "told"),
    [
        ("titan", None, "TITAN comes at 32k, 40k and 48k. Choose one with --rate"),
        ("titan", "24k", "TITAN does not come at 24k, but at 32k, 40k and 48k"),
        ("titan-32k", "48k", "titan-32k is the one at 32k, and --rate says 48k"),
        ("titan", "fast", "'fast' is no sample rate"),
        ("titam", None, "Did you mean titan?"),
        ("singerpretrain-40k", None, "Did you mean singerpretrain-32k?"),
        ("", None, "voicetui pretrains list"),
        ("\x1b[31m", None, "␛[31m"),
    ],
)
def test_a_name_that_means_none_is_explained(name: str, rate: str | None, told: str) -> None:
    with pytest.raises(InputError) as caught:
        find(name, rate)
    assert told in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("wanted", "slugs"),
    [
        (Search(text="singers"), ["singerpretrain-32k"]),
        (Search(text="mustar REPO-40k rin"), []),
        (Search(text="MUSTAR rin 40k"), ["rin-e3-40k", "snowiev3-x-rin-e3-40k"]),
        (Search(text="drums", rate=32000), ["klm-beatzforge-32k"]),
        (Search(text="openrail"), ["ima-32k", "singerpretrain-32k"]),
        (Search(language="ja", rate=40000), ["snowiev3.1-40k"]),
        (Search(language="Japanese", rate=40000), ["snowiev3.1-40k"]),
        (Search(language="pt-BR", family="rvc"), ["nanashi-v1.7-32k"]),
        (Search(language="hi"), ["xtts-v2.0.3", "xtts-v2.0.2", "xtts-v2.0.1", "xtts-v2.0.0"]),
        (Search(kind="scratch", author="mus"), ["rin-e3-40k"]),
        (Search(kind="merge"), []),
        (Search(author="essid"), ["guidevocalpretrain-48k"]),
        (Search(installed=True), ["titan-40k"]),
        (Search(installed=False, text="titan blaise"), ["titan-32k", "titan-48k"]),
        (Search(language="tlh"), []),
    ],
)
def test_a_search_finds_what_fits_all_wishes(wanted: Search, slugs: list[str]) -> None:
    found = search(entries(), wanted, {"titan-40k"})
    assert [entry.slug for entry in found] == slugs


def test_a_search_for_nothing_finds_all() -> None:
    assert search(entries(), Search(), ()) == entries()


FILE = 'path = "G.pth"'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Anna = 3", "[Anna]: a pretrain is a table"),
        ('[Anna]\nautor = "x"\n', "no 'autor' in a pretrain. Did you mean author?"),
        ('[Anna]\nG = { path = "G.pth" }\n', "It belongs to a rate"),
        ("[Anna.4k]", "no '4k' in a pretrain"),
        ("[Anna.fast]", "no 'fast' in a pretrain"),
        ('[Anna."\\u001b[2J"]', "␛[2J"),
        ("[Anna]\n40k = 1", "[Anna.40k]: a rate is a table"),
        ("[Anna.40k]\n[Anna.40000]", "[Anna.40000]: 40k stands there twice"),
        ("['Anna B'.40k]\n[anna_b.32k]", "[Anna B] has the same short name, anna-b"),
        ("['']", "a name has letters or digits"),
        ("['\u58f0'.40k]", "a name has letters or digits"),
        ('["An\\u001bna".40k]', "[An␛na]: a name has"),
        (f"[{'a' * 81}.40k]", "at most 80 characters"),
        ("[Anna.40k]\nauthor = 3", "author is 3, but must be a text"),
        ("[Anna.40k]\nsize = 3", "no 'size' here. Allowed: author, rep"),
        ('[Anna.40k]\nkind = "best"', "one of scratch, finetune, merge, unknown"),
        ("[Anna.40k]\nkind = ['merge']", "one of scratch"),
        ('[Anna.40k]\nrepository = "hub"', "repository is 'hub', but must be like \"owner"),
        ('[Anna.40k]\nrepository = "a/../b"', "repository is"),
        ('[Anna.40k]\nrepository = "https://x/a"', "repository is"),
        ('[Anna.40k]\nrevision = "main"', "revision is 'main', but must be a commit"),
        ("[Anna.40k]\nlanguages = 'en'", 'must be a list of codes, like ["en", "pt"]'),
        ("[Anna.40k]\nlanguages = ['English']", "must be a list of codes"),
        ("[Anna.40k]\nlanguages = [1]", "must be a list of codes"),
        ("[Anna.40k]\nhours = 0", "hours is 0, but must be a number above 0"),
        ("[Anna.40k]\nhours = nan", "hours is nan"),
        ("[Anna.40k]\nhours = true", "hours is True"),
        ("[Anna.40k]\nhours = '3'", "hours is '3'"),
        (f"[Anna.40k]\nhours = 1{'0' * 400}", "hours is 1000"),
        ("[Anna.40k]\npitch = 'no'", "pitch is 'no', but must be true or false"),
        ("[Anna.40k]\nlicence_url = 'javascript:x'", "must be an address"),
        ("[Anna.40k]\nfolder = '../x'", "folder is '../x'"),
        ("[Anna.40k]\nG = 'G.pth'", "G must look like { path"),
        ("[Anna.40k]\nG = { size = 3 }", "G must look like { path"),
        (f"[Anna.40k]\nG = {{ {FILE}, hash = 'x' }}", "G: there is no 'hash' here"),
        (f"[Anna.40k]\nG = {{ {FILE}, size = 0 }}", "G: size is 0"),
        (f"[Anna.40k]\nG = {{ {FILE}, size = true }}", "G: size is True"),
        (f"[Anna.40k]\nG = {{ {FILE}, sha256 = '{'g' * 64}' }}", "64 digits 0-9a-f"),
        (f"[Anna.40k]\nG = {{ {FILE}, sha256 = '{'A' * 64}' }}", "64 digits 0-9a-f"),
        ("[Anna.40k]\nG = { path = '../G.pth' }", "G: path is '../G.pth'"),
        ("[Anna.40k]\nG = { path = '/etc/passwd' }", "G: path is '/etc/passwd'"),
        ("[Anna.40k]\nG = { path = 'C:\\G.pth' }", "G: path is"),
        ("[Anna.40k]\nG = { path = 'a\\..\\G.pth' }", "G: path is"),
        ("[Anna.40k]\nG = { path = 'a\\G.pth' }", "G: path is"),
        ("[Anna.40k]\nG = { path = 'a//G.pth' }", "G: path is"),
        ('[Anna.40k]\nG = { path = "a\\u0000b" }', "G: path is"),
        ('[Anna.40k]\nG = { path = "a\\u202Eb" }', "G: path is"),
        ("[Anna.40k]\nG = { path = '' }", "G: path is ''"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(SettingError) as caught:
        tables.parse(tomllib.loads(text), "mine.toml")
    message = str(caught.value)
    assert message.startswith("mine.toml [")
    assert told in message
    assert "\x1b" not in message
    assert len(message) < 500
