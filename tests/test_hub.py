from __future__ import annotations

from pathlib import Path
from typing import Any

import hub_server
import pytest
from helpers_hub import LARGE, QUICK, REPO, SMALL, TOKEN, get, only, sha
from hub_server import Hub

from engine.errors import (
    DownloadError,
)
from engine.fetching.transfer import Transfer
from engine.hub import FetchedFile, RemoteFile, fetch


@pytest.mark.parametrize(("name", "data"), [("model.pth", LARGE), ("config.json", SMALL)])
def test_a_file_arrives_under_its_name(hub: Hub, tmp_path: Path, name: str, data: bytes) -> None:
    target = tmp_path / "store" / name
    seen: list[tuple[int, int]] = []
    fetched = get(target, name, progress=lambda done, total: seen.append((done, total)))
    assert target.read_bytes() == data
    assert fetched == FetchedFile(target, len(data), sha(data), hub.commit(REPO, "main"))
    assert only(target)
    assert seen == sorted(seen)
    assert seen[-1] == (len(data), len(data))


def test_an_empty_file_and_a_file_in_a_folder_arrive(hub: Hub, tmp_path: Path) -> None:
    hub.put(REPO, {"sub/räume 1.txt": b"x", "empty.txt": b""})
    get(tmp_path / "x", "sub/räume 1.txt")
    get(tmp_path / "empty", "empty.txt")
    assert (tmp_path / "x").read_bytes() == b"x"
    assert (tmp_path / "empty").read_bytes() == b""


def test_what_was_there_is_replaced_only_by_a_whole_file(hub: Hub, tmp_path: Path) -> None:
    target = tmp_path / "config.json"
    target.write_bytes(b"mine")
    hub.fail("hub", "GET", "config.json", hub_server.content(b"x" * len(SMALL)))
    with pytest.raises(DownloadError):
        get(target, "config.json")
    assert target.read_bytes() == b"mine"
    get(target, "config.json")
    assert target.read_bytes() == SMALL


def test_the_endpoint_is_read_at_each_call(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub_server.running(monkeypatch) as mirror:
        mirror.put(REPO, {"config.json": b"other"})
        get(tmp_path / "config.json", "config.json")
    assert (tmp_path / "config.json").read_bytes() == b"other"
    assert not hub.asked


def test_the_token_goes_to_the_hub_and_not_along_a_redirect(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    get(tmp_path / "model.pth")
    assert {asked.headers["authorization"] for asked in hub.of("hub")} == {f"Bearer {TOKEN}"}
    assert hub.of("cdn")
    assert not any("authorization" in asked.headers for asked in hub.of("cdn"))


def test_another_port_of_the_same_host_is_another_host(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.blobs["x"] = SMALL
    elsewhere = hub.cdn_address.replace("localhost", "127.0.0.1") + "/blobs/x"
    hub.fail("hub", "HEAD", "config.json", hub_server.redirect(elsewhere))
    get(tmp_path / "config.json", "config.json")
    assert [asked.method for asked in hub.of("cdn", "HEAD")] == ["HEAD"]
    assert not any("authorization" in asked.headers for asked in hub.of("cdn", "HEAD"))


def test_a_renamed_repository_is_followed_with_the_token(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    moved = hub_server.redirect(f"/{REPO}/resolve/main/config.json", 307)
    hub.fail("hub", "HEAD", "old/name/resolve/main/config.json", moved)
    hub.refs["old/name"] = hub.refs[REPO]
    fetch(RemoteFile("old/name", "main", "config.json"), tmp_path / "c", policy=QUICK)
    assert all(asked.headers["authorization"] == f"Bearer {TOKEN}" for asked in hub.of("hub"))


@pytest.mark.parametrize(
    "fault",
    [
        hub_server.status(401),
        hub_server.status(403, "GatedRepo"),
        hub_server.status(500),
        hub_server.redirect(f"http://{TOKEN}:99999/"),
        hub_server.redirect(f"gopher://{TOKEN}/"),
        hub_server.redirect("/loop"),
        lambda handler: handler.wfile.write(f"{TOKEN}\r\n\r\n".encode()),
    ],
)
def test_no_message_shows_the_token(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.fail("hub", "HEAD", "config.json", *[fault] * 20)
    hub.fail("hub", "HEAD", "/loop", *[fault] * 20)
    with pytest.raises(DownloadError) as failure:
        get(tmp_path / "config.json", "config.json")
    assert TOKEN not in str(failure.value)
    assert "Signature" not in str(failure.value)


def test_an_encrypted_hub_may_not_lead_to_a_plain_connection() -> None:
    import httpx

    plain = httpx.MockTransport(lambda _: httpx.Response(302, headers={"Location": "http://h/x"}))
    transfer = Transfer("https://h", TOKEN, QUICK, lambda: None)
    transfer._client = httpx.Client(transport=plain)
    with (
        pytest.raises(DownloadError, match="not encrypted"),
        transfer.request("GET", "https://h/x", "x"),
    ):
        pass
