from __future__ import annotations

import json
from pathlib import Path

import hub_server
import pytest
from helpers_hub import LARGE, QUICK, REPO, SMALL, sha
from hub_server import Hub

from engine.errors import (
    BusyError,
    DownloadError,
    InputError,
    RefusedError,
)
from engine.fetching import assembly
from engine.hub import RemoteFile, fetch_folder, list_files


def test_a_list_is_pinned_to_a_commit(hub: Hub) -> None:
    commit = hub.commit(REPO, "main")
    assert list_files(REPO, policy=QUICK) == (
        RemoteFile(REPO, commit, "model.pth", len(LARGE), sha(LARGE)),
        RemoteFile(REPO, commit, "config.json", len(SMALL)),
    )


def test_a_list_of_nothing_is_told(hub: Hub) -> None:
    with pytest.raises(DownloadError, match="no such repository"):
        list_files("no/body", policy=QUICK)


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"sha": "x"}', b'{"sha": 1, "siblings": [3]}', b"\xff"]
)
def test_a_list_that_is_none_is_told(hub: Hub, body: bytes) -> None:
    hub.fail("hub", "GET", "/main", hub_server.content(body))
    with pytest.raises(DownloadError, match="cannot be read"):
        list_files(REPO, policy=QUICK)


def files_of(names: tuple[str, ...] = ("model.pth", "config.json")) -> list[RemoteFile]:
    return [RemoteFile(REPO, "main", name) for name in names]


def test_a_folder_gets_its_name_with_a_record(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "base"
    seen: list[tuple[int, int]] = []
    fetch_folder(
        files_of(), folder, policy=QUICK, progress=lambda done, total: seen.append((done, total))
    )
    assert (folder / "model.pth").read_bytes() == LARGE
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "fetched.json",
        "model.pth",
    ]
    assert [path.name for path in folder.parent.iterdir()] == ["base"]
    commit, total = hub.commit(REPO, "main"), len(LARGE) + len(SMALL)
    record = json.loads((folder / "fetched.json").read_text())
    assert record["files"]["model.pth"] == {
        "repository": REPO,
        "revision": "main",
        "commit": commit,
        "size": len(LARGE),
        "sha256": sha(LARGE),
    }
    assert "fetched" in record
    assert seen == sorted(seen)
    assert seen[-1] == (total, total)


def test_a_folder_that_is_whole_needs_no_network(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_folder(files_of(), tmp_path / "base", policy=QUICK)
    hub.asked.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert fetch_folder(files_of(), tmp_path / "base", policy=QUICK) == tmp_path / "base"
    assert not hub.asked


def test_a_folder_goes_on_with_what_was_verified(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "base"
    hub.fail("hub", "GET", "config.json", hub_server.content(b"x" * len(SMALL)))
    with pytest.raises(DownloadError, match=r"config\.json"):
        fetch_folder(files_of(), folder, policy=QUICK)
    assert not folder.exists()
    hub.asked.clear()
    fetch_folder(files_of(), folder, policy=QUICK)
    assert not hub.of("cdn")
    assert (folder / "model.pth").read_bytes() == LARGE


def test_files_of_two_commits_never_meet(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "base"
    first = hub.commit(REPO, "main")
    changed = {"model.pth": LARGE[::-1], "config.json": SMALL[::-1]}

    def move(handler: hub_server.Handler) -> None:
        hub.put(REPO, changed)
        handler.send_resolved(handler.path.replace("/main/", f"/{first}/"))

    hub.fail("hub", "HEAD", "model.pth", move)
    hub.fail("hub", "GET", "config.json", *[hub_server.status(500)] * 9)
    with pytest.raises(DownloadError):
        fetch_folder(files_of(), folder, policy=QUICK)
    assert {asked.path.split("/")[-2] for asked in hub.of("hub")} == {first}

    hub.faults.clear()
    fetch_folder(files_of(), folder, policy=QUICK)
    assert {name: (folder / name).read_bytes() for name in changed} == changed


def test_what_belongs_to_no_file_is_left_out(hub: Hub, tmp_path: Path) -> None:
    stray = tmp_path / ".part-base" / "sub" / "stray.bin"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"x")
    fetch_folder(files_of(), tmp_path / "base", policy=QUICK)
    assert not list((tmp_path / "base").rglob("stray.bin"))


@pytest.mark.parametrize(
    "name", ["../evil", "/evil", "a/../../evil", "C:\\evil", "fetched.json", ""]
)
def test_a_name_that_leads_away_is_refused(hub: Hub, tmp_path: Path, name: str) -> None:
    head = {"ETag": '"x"', "X-Repo-Commit": hub.commit(REPO, "main")}
    hub.fail("hub", "HEAD", "", lambda handler: handler.answer(200, head, b"evil"))
    with pytest.raises((InputError, DownloadError)):
        fetch_folder([RemoteFile(REPO, "main", name)], tmp_path / "in" / "base", policy=QUICK)
    assert not list(tmp_path.rglob("*evil*"))
    assert not (tmp_path / "in" / "base").exists()


def test_a_folder_of_somebody_else_is_not_touched(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "mine.txt").write_text("mine")
    with pytest.raises(RefusedError, match="not touched"):
        fetch_folder(files_of(), tmp_path / "base", policy=QUICK)
    assert [path.name for path in (tmp_path / "base").iterdir()] == ["mine.txt"]


def test_one_writer_of_a_folder_at_a_time(hub: Hub, tmp_path: Path) -> None:
    with assembly.assemble(tmp_path / "base"), pytest.raises(BusyError):
        fetch_folder(files_of(), tmp_path / "base", policy=QUICK)
