from __future__ import annotations

from collections.abc import Iterator

import hub_server
import pytest
from helpers_hub import QUICK, sha
from helpers_stored import keep_bytes
from hub_server import Hub

from engine import places
from engine.errors import StopRequested
from engine.fetching import assembly
from engine.files import write_json
from engine.pretrains import own, store
from engine.pretrains.store import Stored
from engine.pretrains.verify import Finding, verify, worst
from engine.xtts import base as bases
from engine.xtts.base import KnownBase, KnownFile

REPO = "anna/pretrain"
FILES = {"sub/G.pth": b"G as it came", "sub/D.pth": b"D as it came", "README.md": b"x"}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub_server.running(monkeypatch) as server:
        server.put(REPO, FILES)
        yield server


def kept(hub: Hub, revision: str = "") -> Stored:
    commit = hub.commit(REPO, "main")
    return keep_bytes(commit=commit, repository=REPO, revision=revision)


def wrong(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.seen for finding in findings if finding.level == "wrong"]


def online(stored: Stored) -> tuple[Finding, ...]:
    return verify(stored, online=True, policy=QUICK)


def test_files_that_are_as_they_came_are_fine() -> None:
    seen: list[tuple[int, int]] = []
    stored = keep_bytes()
    findings = verify(stored, progress=lambda done, total: seen.append((done, total)))
    assert [finding.level for finding in findings] == ["fine"] * 4
    assert worst(findings) != "wrong"
    assert seen[-1] == (56, 56)


@pytest.mark.parametrize("name", ["sub/G.pth", "sub/D.pth", "G.safetensors", "D.safetensors"])
def test_each_file_is_compared_with_the_record(name: str) -> None:
    stored = keep_bytes()
    path = stored.folder / name
    data = path.read_bytes()
    path.write_bytes(data[:-1] + b"?")
    assert wrong(verify(stored)) == [
        f"{name} has changed: its SHA-256 is {sha(data[:-1] + b'?')}, its record says {sha(data)}"
    ]
    path.write_bytes(data + b"?")
    assert wrong(verify(stored))[0].startswith(f"{name} has {len(data) + 1} bytes")
    path.unlink()
    (finding,) = [finding for finding in verify(stored) if finding.level == "wrong"]
    assert finding.seen == f"{name} is missing"
    assert "voicetui pretrains remove anna-40k --yes" in finding.remedy


def test_the_catalogue_has_its_say() -> None:
    stored = keep_bytes()
    own.path().parent.mkdir(parents=True)
    table = '[Anna.40k]\nG = {{ path = "G.pth", size = 12, sha256 = "{}" }}\n'
    own.path().write_text(table.format(sha(b"G as it came")))
    assert verify(stored)[-1].seen == "its files are those that the catalogue names"
    own.path().write_text(table.format("ab" * 32))
    assert wrong(verify(stored)) == ["the catalogue names other bytes for G.pth"]


def test_a_stop_is_heard() -> None:
    def check() -> None:
        raise StopRequested("SIGINT")

    with pytest.raises(StopRequested):
        verify(keep_bytes(), check=check)


def test_nothing_new_upstream(hub: Hub) -> None:
    stored = kept(hub)
    assert online(stored)[-1] == Finding("fine", f"{REPO} at main still has the same files")
    newer = hub.put(REPO, FILES | {"README.md": b"y"})
    assert online(stored)[-1].seen.endswith(f"the same files, in commit {newer}")
    assert {asked.method for asked in hub.asked} == {"GET"}


def test_what_changed_upstream_is_told_and_nothing_replaced(hub: Hub) -> None:
    stored = kept(hub, revision=hub.commit(REPO, "main"))
    hub.put(REPO, FILES | {"sub/D.pth": b"D as it is!!"})
    pinned, main = online(stored)[-2:]
    assert pinned.level == "fine"
    assert (main.level, main.seen) == (
        "note",
        f"{REPO} at main changed: other bytes for sub/D.pth",
    )
    assert "remove it and get it again" in main.remedy
    del hub.commits[hub.commit(REPO, "main")]["sub/G.pth"]
    assert "sub/D.pth" in online(stored)[-1].seen
    assert "sub/G.pth" in online(stored)[-1].seen
    assert worst(online(stored)) != "wrong"
    assert store.load(stored.folder) == stored
    assert not hub.of("cdn")


def test_a_commit_with_other_bytes_is_told(hub: Hub) -> None:
    commit = hub.commit(REPO, "main")
    stored = kept(hub, revision=commit)
    hub.commits[commit] = FILES | {"sub/G.pth": b"G as it is!!"}
    assert "a commit never changes" in online(stored)[-2].seen


def test_a_hub_that_does_not_answer_is_no_fault_of_the_files(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = kept(hub)
    del hub.refs[REPO]
    assert "could not be asked" in online(stored)[-1].seen
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    findings = online(stored)
    assert "HF_HUB_OFFLINE" in findings[-1].seen
    assert worst(findings) != "wrong"


def test_a_base_is_compared_with_the_release(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = places.models_dir("xtts") / "xtts-v2.0.3"
    folder.mkdir(parents=True)
    known = []
    for name in bases.FILES:
        data = name.encode()
        (folder / name).write_bytes(data)
        # Of one, nothing is published; its record says what came.
        pins = (0, "") if name == "vocab.json" else (len(data), sha(data))
        known.append(KnownFile(name, "v", *pins))
    base = KnownBase("xtts-v2.0.3", "coqui/XTTS-v2", "Some", "https://l.example", tuple(known))
    monkeypatch.setattr(bases, "known", lambda: {base.name: base})

    def look() -> tuple[Finding, ...]:
        return verify(store.stored()[base.name])

    assert [finding.seen for finding in look() if finding.level == "note"] == [
        f"vocab.json has no hash on record; it is {sha(b'vocab.json')} now"
    ]
    came = {"repository": "r", "revision": "v", "commit": "c", "size": 10, "sha256": "0" * 64}
    write_json(folder / assembly.RECORD, {"files": {"vocab.json": came}})
    (folder / "dvae.pth").write_bytes(b"DVAE.pth")
    assert [seen.partition(" has changed")[0] for seen in wrong(look())] == [
        "dvae.pth",
        "vocab.json",
    ]
