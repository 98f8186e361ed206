"""Lists of pretrains in Applio's form, from files and addresses, honest and hostile."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hub_server
import pytest
from helpers_hub import QUICK, TOKEN
from hub_server import Hub

from engine.errors import DownloadError, InputError
from engine.fetching import document
from engine.pretrains import applio, own
from engine.pretrains.catalogue import entries, find
from engine.pretrains.entry import WeightsFile

COMMIT = "0123456789" * 4
REPO = "someone/lists"


def link(name: str, place: str = "anna/voices", revision: str = "main") -> str:
    return f"{place}/resolve/{revision}/{name}"


def pair(**changed: Any) -> dict[str, Any]:
    return {"G": link("v2/G.pth"), "D": link("v2/D.pth")} | changed


def offer(value: Any) -> applio.Offer:
    return applio.read(json.dumps(value).encode(), entries())


def published() -> dict[str, dict[str, dict[str, str]]]:
    """A list as Applio publishes it: 14 names and 21 pairs, and one of each that nobody knows."""
    table = Path(__file__).parent / "published_files.tsv"
    found: dict[str, dict[str, dict[str, str]]] = {}
    with table.open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            if row["name"]:
                # The generators are those that come after the discriminators, by name.
                rates = found.setdefault(row["name"], {})
                files = rates.setdefault(row["rate"], {})
                files["G" if "D" in files else "D"] = link(row["path"], row["repository"])
    return found


def test_a_published_list_brings_only_what_is_new() -> None:
    listed = published()
    assert (len(listed), sum(map(len, listed.values()))) == (14, 21)
    found = offer(listed | {"Bert": {"40k": pair()}})
    assert [entry.slug for entry in found.new] == ["bert-40k"]
    assert not found.refused
    told = {(left.name, left.rate): left.why for left in found.known}
    assert len(told) == 21
    assert told["Snowie", "40k"] == "it is SnowieV3.1 at 40k"
    assert told["Ov2Super", "32k"] == "it is Ov2 Super (ORVC) at 32k"
    assert told["KLM4", "48k"] == "it is KLM49_HFG at 48k"
    assert told["Italia", "32k"] == "it is Itaila V1.0 at 32k"


@pytest.mark.parametrize("label", ["40k", "40000", "40K"])
@pytest.mark.parametrize("front", ["", "https://huggingface.co/"])
def test_a_pair_becomes_an_entry(label: str, front: str) -> None:
    files = pair(G=f"{front}{link('v2/G%20x.pth')}?download=true", D=front + link("v2/D.pth"))
    (entry,) = offer({"Anna": {label: files}}).new
    assert (entry.name, entry.rate, entry.origin) == ("Anna", 40000, "own")
    assert (entry.repository, entry.folder, entry.revision) == ("anna/voices", "v2", "")
    assert entry.files == (WeightsFile("v2/G x.pth", "G"), WeightsFile("v2/D.pth", "D"))
    assert not entry.is_verified


def test_a_commit_stays_pinned_and_a_branch_is_refused() -> None:
    both = pair(G=link("G", revision=COMMIT), D=link("D", revision=COMMIT))
    one = pair(G=link("G", revision=COMMIT))
    (pinned, half) = offer({"A": {"40k": both}, "B": {"40k": one}}).new
    assert (pinned.revision, {file.revision for file in pinned.files}) == (COMMIT, {""})
    assert (half.revision, [file.revision for file in half.files]) == ("", [COMMIT, ""])
    (left,) = offer({"A": {"40k": pair(G=link("G", revision="beta"))}}).refused
    assert left.why == "its G is on the branch beta; only main or a commit is taken"


def test_another_rate_of_a_known_name_joins_it() -> None:
    found = offer({"titan": {"24k": pair(), "40k": pair()}})
    assert [(entry.name, entry.slug) for entry in found.new] == [("TITAN", "titan-24k")]
    assert "rename it in the list" in found.known[0].why
    own.add(found.new)
    assert find("titan", "24k").revision == ""
    assert find("titan", "24k").files == found.new[0].files
    assert find("titan", "40k").origin == "catalogue"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"G": "null", "D": "null"}, "it names no G"),
        ({"D": None}, "it names no D"),
        ({"G": ""}, "it names no G"),
        ({"G": 3}, "no link to a file"),
        ({"G": ["x"]}, "no link to a file"),
        ({"G": "v2/G.pth"}, "no link to a file"),
        ({"G": "https://evil.example/anna/voices/resolve/main/G.pth"}, "no link to a file"),
        ({"G": "http://huggingface.co/" + link("G.pth")}, "no link to a file"),
        ({"G": "https://huggingface.co@evil.example/" + link("G.pth")}, "no link to a file"),
        ({"G": "//evil.example/" + link("G.pth")}, "no link to a file"),
        ({"G": "file:///etc/passwd"}, "no link to a file"),
        ({"G": "datasets/anna/voices/resolve/main/G.pth"}, "no link to a file"),
        ({"G": link("G.pth", "../..")}, "plain file"),
        ({"G": link("G.pth", "an na/voices")}, "plain file"),
        ({"G": link("G.pth", "anna/\x1b[2J")}, "plain file"),
        ({"G": link("../G.pth")}, "plain file"),
        ({"G": link("a/%2e%2e/%2e%2e/G.pth")}, "plain file"),
        ({"G": link("%2Fetc%2Fpasswd")}, "plain file"),
        ({"G": link("/etc/passwd")}, "plain file"),
        ({"G": link("a%5C..%5CG.pth")}, "plain file"),
        ({"G": link("C:%5CG.pth")}, "plain file"),
        ({"G": link("G%00.pth")}, "plain file"),
        ({"G": link("G%1B[2J.pth")}, "plain file"),
        ({"G": link("G\n.pth")}, "plain file"),
        ({"G": link("%FF.pth")}, "plain file"),
        ({"G": link("\ud800.pth")}, "plain file"),
        ({"G": link("v2/D.pth")}, "the same file"),
        ({"G": link("v2/G.pth", "bert/voices")}, "different repositories"),
    ],
)
def test_a_link_that_leads_elsewhere_is_refused(changed: Mapping[str, Any], why: str) -> None:
    found = offer({"Anna": {"40k": pair(**changed)}, "Bert": {"32k": pair()}})
    assert [entry.name for entry in found.new] == ["Bert"]
    (left,) = found.refused
    assert (left.name, left.rate) == ("Anna", "40k")
    assert why in left.why


@pytest.mark.parametrize("name", ["", "..", "\x1b[2J", "a\u202eb", "\u58f0", "a" * 81, "\ud800a"])
def test_a_name_that_cannot_be_used_is_refused(name: str) -> None:
    found = offer({name: {"40k": pair()}, "Bert": {"32k": pair()}})
    assert [entry.name for entry in found.new] == ["Bert"]
    assert found.refused == (applio.Left(name, "40k", "its name cannot be used"),)


def test_what_is_no_pair_is_refused_with_its_reason() -> None:
    found = offer(
        {"A": [], "B": {"fast": pair()}, "C": {"4k": pair()}, "D": {"40k": "null"}}
        | {"E e": {"40k": pair()}, "e-E": {"40000": pair()}}
    )
    assert [entry.name for entry in found.new] == ["E e"]
    assert [left.why for left in found.refused] == [
        "it has no table of rates",
        "this is no sample rate",
        "this is no sample rate",
        "it names no files",
        "the list has this name and rate twice",
    ]


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"[" * 100_000, b"\xff", b"[]", b"3", b'{"a": 1'], ids=range(7)
)
def test_what_is_no_list_is_told(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^This is (not valid JSON|no list of pretrains)"):
        applio.read(data, ())


def test_a_file_is_read_and_a_large_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(b"{}")
    assert applio.fetch(str(path)) == b"{}"
    path.write_bytes(b" " * 1_000_001)
    with pytest.raises(InputError, match="larger than 1 MB"):
        applio.fetch(str(path))
    for missing, why in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InputError, match=why):
            applio.fetch(str(missing))


def test_an_address_is_read_without_a_token(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.put(REPO, {"list.json": b"{}", "list.bin": b'{"a": 1}'})
    front = f"{hub.address}/{REPO}/resolve/main/"
    assert applio.fetch(f"{front}list.json", policy=QUICK) == b"{}"
    # A large file comes from another host.
    assert applio.fetch(f"{front}list.bin", policy=QUICK) == b'{"a": 1}'
    assert [asked.server for asked in hub.asked] == ["hub", "hub", "cdn"]
    assert not [asked for asked in hub.asked if "authorization" in asked.headers]
    assert TOKEN not in str(hub.asked)


def test_a_fault_that_passes_is_borne(hub: Hub) -> None:
    hub.put(REPO, {"list.json": b"{}"})
    hub.fail("hub", "GET", "list.json", hub_server.status(503), hub_server.cut(b"{}", 1))
    assert applio.fetch(f"{hub.address}/{REPO}/resolve/main/list.json", policy=QUICK) == b"{}"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (hub_server.content(b" " * 1_000_001), "larger than 1 MB"),
        (hub_server.zipped(b" " * 5_000_000), "larger than 1 MB"),
        (hub_server.redirect("http://voices.example/list.json"), "not encrypted"),
        (hub_server.redirect("ftp://voices.example/list.json"), "not encrypted"),
        (hub_server.status(404), "there is no such"),
        (hub_server.status(500), "answers with status 500"),
    ],
    ids=range(6),
)
def test_an_answer_that_cannot_be_used_is_told(
    hub: Hub, fault: hub_server.Fault, told: str
) -> None:
    hub.fail("hub", "GET", "list.json", *[fault] * QUICK.attempts)
    with pytest.raises(DownloadError, match=told) as caught:
        applio.fetch(f"{hub.address}/list.json", policy=QUICK)
    assert "HF_ENDPOINT" not in str(caught.value)


def test_a_slow_drip_ends(hub: Hub) -> None:
    hub.put(REPO, {"list.json": b"{}"})
    with pytest.raises(DownloadError, match="too slowly"):
        document.read(
            f"{hub.address}/{REPO}/resolve/main/list.json", most=9, seconds=-1.0, policy=QUICK
        )


@pytest.mark.parametrize(
    "url",
    [
        "http://voices.example/list.json",
        "http://127.0.0.1.voices.example/list.json",
        "https://anna:secret@voices.example/list.json",
        "ftp://localhost/list.json",
        "file:///etc/passwd",
        "https:///list.json",
        "https://[::1",
    ],
)
def test_an_address_that_is_not_safe_is_not_used(url: str) -> None:
    with pytest.raises(InputError, match=r"give an address that begins with https://"):
        applio.fetch(url)


def test_offline_means_no_network(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE"):
        applio.fetch(f"{hub.address}/list.json")
    assert not hub.asked
