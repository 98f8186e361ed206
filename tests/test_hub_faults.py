from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import hub_server
import pytest
from helpers_hub import LARGE, QUICK, SMALL, get, nothing, only, sha
from hub_server import Hub

from engine.errors import (
    DownloadError,
)
from engine.fetching.transfer import Policy
from engine.hub import RemoteFile, fetch


def test_cut_connections_go_on_where_they_ended(hub: Hub, tmp_path: Path) -> None:
    cuts = [hub_server.cut(LARGE, 400_000) for _ in range(6)]
    hub.fail("cdn", "GET", sha(LARGE), *cuts)
    get(tmp_path / "model.pth")
    assert (tmp_path / "model.pth").read_bytes() == LARGE
    starts = [asked.start for asked in hub.of("cdn")]
    assert starts == [400_000 * n for n in range(7)]


def test_a_server_that_always_cuts_ends_with_a_message(hub: Hub, tmp_path: Path) -> None:
    # Without ranges each attempt starts anew, so none gets further than the first.
    first = LARGE[:1_000_000]
    hub.fail(
        "cdn",
        "GET",
        sha(LARGE),
        *[lambda h: (hub_server.content(first, Content_Length=str(len(LARGE)))(h), hang_up(h))]
        * 50,
    )
    with pytest.raises(DownloadError, match="1000000 bytes that arrived are kept"):
        get(tmp_path / "model.pth")
    assert len(hub.of("cdn")) == QUICK.attempts


def hang_up(handler: hub_server.Handler) -> None:
    handler.close_connection = True


@pytest.mark.parametrize(
    "fault",
    [
        hub_server.status(500),
        hub_server.status(503),
        hub_server.status(429),
        lambda handler: hang_up(handler),
        lambda handler: handler.wfile.write(b"nonsense\r\n\r\n"),
    ],
)
def test_faults_that_pass_are_tried_again_a_few_times(
    hub: Hub, tmp_path: Path, fault: hub_server.Fault
) -> None:
    for method in ("HEAD", "GET"):
        hub.fail("hub", method, "config.json", fault, fault)
    get(tmp_path / "config.json", "config.json")
    assert (tmp_path / "config.json").read_bytes() == SMALL
    hub.asked.clear()
    hub.fail("hub", "HEAD", "config.json", *[fault] * 50)
    with pytest.raises(DownloadError, match="HF_ENDPOINT"):
        get(tmp_path / "again", "config.json")
    assert len(hub.asked) == QUICK.attempts


def test_silence_is_a_fault_that_passes(hub: Hub, tmp_path: Path, release: threading.Event) -> None:
    hub.fail("cdn", "GET", sha(LARGE), hub_server.hold(LARGE, 1_000_000, release))
    get(tmp_path / "model.pth", policy=Policy(3, 0.005, 1 << 16, timeout=0.2))
    assert [asked.start for asked in hub.of("cdn")] == [0, 1_000_000]


def test_nobody_listening_is_told_with_the_remedy(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(DownloadError, match="by hand are taken with --from"):
        get(tmp_path / "model.pth")


@pytest.mark.parametrize(
    "odd",
    [
        hub_server.content(LARGE),
        hub_server.status(416),
        hub_server.partial_content(LARGE[7:], f"bytes 7-{len(LARGE) - 1}/{len(LARGE)}"),
        hub_server.partial_content(LARGE[400_000:], "bytes 400000-2999999/9999999"),
        hub_server.partial_content(LARGE[400_000:], "nonsense"),
        hub_server.partial_content(
            LARGE[400_000:], "bytes 400000-2999999/3000000", **{"Content-Encoding": "gzip"}
        ),
        hub_server.zipped(LARGE),
    ],
)
def test_odd_answers_to_a_range_start_over(hub: Hub, tmp_path: Path, odd: hub_server.Fault) -> None:
    hub.fail("cdn", "GET", sha(LARGE), hub_server.cut(LARGE, 400_000), odd)
    get(tmp_path / "model.pth")
    assert (tmp_path / "model.pth").read_bytes() == LARGE
    assert hub.of("cdn")[1].start == 400_000
    assert only(tmp_path / "model.pth")


def test_a_partial_answer_that_nobody_asked_for_is_not_used(hub: Hub, tmp_path: Path) -> None:
    odd = hub_server.partial_content(LARGE[:9], f"bytes 5-13/{len(LARGE)}")
    hub.fail("cdn", "GET", sha(LARGE), odd)
    get(tmp_path / "model.pth")
    assert (tmp_path / "model.pth").read_bytes() == LARGE


def test_only_the_hub_itself_is_asked_whether_its_entity_tag_still_holds(
    hub: Hub, tmp_path: Path
) -> None:
    hub.fail("hub", "GET", "config.json", hub_server.cut(SMALL, 50))
    hub.fail("cdn", "GET", sha(LARGE), hub_server.cut(LARGE, 50))
    get(tmp_path / "config.json", "config.json")
    get(tmp_path / "model.pth")
    tag = f'"{hub_server.git_id(SMALL)}"'
    assert [asked.headers.get("if-range") for asked in hub.of("hub")] == [None, tag, None, None]
    assert not any("if-range" in asked.headers for asked in hub.of("cdn"))


@pytest.mark.parametrize("name", ["model.pth", "config.json"])
@pytest.mark.parametrize("pinned", [True, False])
def test_wrong_bytes_of_the_right_size_never_get_the_name(
    hub: Hub, tmp_path: Path, name: str, pinned: bool
) -> None:
    data = LARGE if name == "model.pth" else SMALL
    wrong = bytes([data[0] ^ 1]) + data[1:]
    server, place = ("cdn", sha(data)) if name == "model.pth" else ("hub", name)
    hub.fail(server, "GET", place, hub_server.content(wrong))
    with pytest.raises(DownloadError) as failure:
        get(tmp_path / "store" / name, name, sha256=sha(data) if pinned else "")
    by_git = name == "config.json" and not pinned
    expected, found = map(hub_server.git_id if by_git else sha, (data, wrong))
    assert name in str(failure.value)
    assert expected in str(failure.value)
    assert found in str(failure.value)
    assert nothing(tmp_path / "store" / name)
    assert len(hub.of(server)) == 1


def test_more_bytes_than_promised_never_get_the_name(hub: Hub, tmp_path: Path) -> None:
    hub.fail("cdn", "GET", sha(LARGE), hub_server.content(LARGE + bytes(200_000)))
    with pytest.raises(DownloadError, match="more than the 3000000 bytes"):
        get(tmp_path / "store" / "model.pth")
    assert nothing(tmp_path / "store" / "model.pth")


@pytest.mark.parametrize("pins", [{"sha256": sha(SMALL)}, {"size": 17}])
def test_a_file_that_changed_upstream_is_not_even_asked_for(
    hub: Hub, tmp_path: Path, pins: dict[str, Any]
) -> None:
    with pytest.raises(DownloadError, match=r"model\.pth.*expected"):
        get(tmp_path / "store" / "model.pth", **pins)
    assert not hub.of("hub")
    assert nothing(tmp_path / "store" / "model.pth")


def test_another_commit_than_the_pinned_one_is_refused(hub: Hub, tmp_path: Path) -> None:
    commit = "ab" * 20
    answer = {"X-Repo-Commit": "cd" * 20, "ETag": '"x"'}
    hub.fail("hub", "HEAD", "config.json", lambda handler: handler.answer(200, answer, SMALL))
    with pytest.raises(DownloadError, match="cd" * 20):
        get(tmp_path / "config.json", "config.json", revision=commit)


def test_what_cannot_be_checked_is_not_fetched(hub: Hub, tmp_path: Path) -> None:
    def say_nothing(handler: hub_server.Handler) -> None:
        handler.send_response(200)
        handler.end_headers()

    hub.fail("hub", "HEAD", "config.json", say_nothing)
    with pytest.raises(DownloadError, match="cannot be checked"):
        get(tmp_path / "config.json", "config.json")


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        (hub_server.status(401), "HF_TOKEN"),
        (hub_server.status(401, "GatedRepo"), "terms"),
        (hub_server.status(403), "terms"),
        (hub_server.status(404, "RevisionNotFound"), "no such revision"),
        (hub_server.status(404), "no such file, revision or repository"),
        (hub_server.status(410), "410"),
    ],
)
def test_what_stays_wrong_is_asked_once(
    hub: Hub, tmp_path: Path, fault: hub_server.Fault, remedy: str
) -> None:
    hub.fail("hub", "HEAD", "config.json", *[fault] * 9)
    with pytest.raises(DownloadError, match=remedy):
        get(tmp_path / "config.json", "config.json")
    assert len(hub.asked) == 1


def test_missing_things_are_named(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="no such file"):
        get(tmp_path / "x", "none.pth")
    with pytest.raises(DownloadError, match="no such repository"):
        fetch(RemoteFile("no/body", "main", "x"), tmp_path / "x", policy=QUICK)


@pytest.mark.parametrize("address", ["huggingface.co", "ftp://x", "http://", "http://x:y"])
def test_an_address_that_is_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    with pytest.raises(DownloadError, match="HF_ENDPOINT"):
        get(tmp_path / "x")


def test_offline_means_no_request(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE"):
        get(tmp_path / "x")
    assert not hub.asked
