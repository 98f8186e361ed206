from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import signal
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hub_server
import pytest
from hub_server import Hub

from engine import hub as hubs
from engine.errors import (
    BusyError,
    DiskFullError,
    DownloadError,
    InputError,
    RefusedError,
    StopRequested,
)
from engine.fetching import assembly, partial
from engine.fetching.transfer import Policy, Transfer
from engine.hub import RemoteFile, fetch, fetch_folder, list_files

REPO = "someone/voices"
TOKEN = "hf_canary7f3e"
QUICK = Policy(attempts=3, pause=0.005, worth=1 << 16, timeout=2.0)
LARGE = random.Random(5).randbytes(3_000_000)
SMALL = b'{"a": 1}\n' * 20


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub_server.running(monkeypatch) as server:
        server.put(REPO, {"model.pth": LARGE, "config.json": SMALL})
        yield server


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Lets servers go that were told to be silent."""
    event = threading.Event()
    yield event
    event.set()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def get(target: Path, name: str = "model.pth", **options: Any) -> hubs.FetchedFile:
    pins = {key: options.pop(key) for key in ("size", "sha256", "revision") if key in options}
    file = RemoteFile(REPO, pins.pop("revision", "main"), name, **pins)
    return fetch(file, target, **({"policy": QUICK} | options))


def only(target: Path) -> bool:
    return [path.name for path in target.parent.iterdir()] == [target.name]


def nothing(target: Path) -> bool:
    return not target.parent.exists() or not list(target.parent.iterdir())


# --- whole files ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "data"), [("model.pth", LARGE), ("config.json", SMALL)])
def test_a_file_arrives_under_its_name(hub: Hub, tmp_path: Path, name: str, data: bytes) -> None:
    target = tmp_path / "store" / name
    seen: list[tuple[int, int]] = []
    fetched = get(target, name, progress=lambda done, total: seen.append((done, total)))
    assert target.read_bytes() == data
    assert fetched == hubs.FetchedFile(target, len(data), sha(data), hub.commit(REPO, "main"))
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


# --- the token ------------------------------------------------------------------------------------


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


# --- faults that pass -----------------------------------------------------------------------------


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
    with pytest.raises(DownloadError, match="copied by hand"):
        get(tmp_path / "model.pth")


# --- odd answers to a range -----------------------------------------------------------------------


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
    assert [asked.headers.get("if-range") for asked in hub.of("hub")[:2]] == [None, tag]
    assert not any("if-range" in asked.headers for asked in hub.of("cdn"))


# --- wrong content --------------------------------------------------------------------------------


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


# --- stopping, dying, going on --------------------------------------------------------------------


def test_a_stop_keeps_the_part(hub: Hub, tmp_path: Path, release: threading.Event) -> None:
    hub.fail("cdn", "GET", sha(LARGE), hub_server.drip(LARGE, 20_000, release))
    target = tmp_path / "model.pth"
    part = partial.path_of(target)

    def check() -> None:
        if part.exists() and part.stat().st_size > 200_000:
            raise StopRequested("SIGINT")

    with pytest.raises(StopRequested):
        get(target, check=check)
    kept = part.stat().st_size
    assert 200_000 < kept < 500_000
    assert not target.exists()
    get(target)
    assert target.read_bytes() == LARGE
    assert hub.of("cdn")[-1].start == kept


def test_a_stop_ends_the_wait_for_another_attempt(hub: Hub, tmp_path: Path) -> None:
    hub.fail("hub", "HEAD", "model.pth", hub_server.status(503))

    def check() -> None:
        raise StopRequested("SIGTERM")

    with pytest.raises(StopRequested):
        get(tmp_path / "model.pth", check=check, policy=Policy(pause=600.0))


def test_a_killed_download_goes_on_where_it_was(
    hub: Hub, tmp_path: Path, fork: Callable[..., Any], release: threading.Event
) -> None:
    import httpx  # noqa: F401  (so that the child need not)
    import huggingface_hub  # noqa: F401

    sent = 2_800_000
    hub.fail("cdn", "GET", sha(LARGE), hub_server.hold(LARGE, sent, release))
    target = tmp_path / "model.pth"
    part = partial.path_of(target)
    reading, writing = os.pipe()

    def report() -> None:
        os.write(writing, struct.pack("q", part.stat().st_size if part.exists() else 0))

    child = fork(lambda: get(target, check=report))
    os.close(writing)
    while struct.unpack("q", os.read(reading, 8))[0] < sent:
        pass
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert not target.exists()

    get(target)
    assert target.read_bytes() == LARGE
    assert hub.of("cdn")[-1].start >= 0.9 * sent
    assert only(target)
    os.close(reading)


def test_a_part_that_a_power_cut_tore_is_noticed(hub: Hub, tmp_path: Path) -> None:
    target = tmp_path / "model.pth"
    hub.fail("cdn", "GET", sha(LARGE), *[hub_server.cut(LARGE, 15_000)] * 3)
    with pytest.raises(DownloadError, match="kept"):
        get(target)
    part = partial.path_of(target)
    part.write_bytes(bytes(part.stat().st_size))
    get(target)
    assert target.read_bytes() == LARGE
    assert [asked.start > 0 for asked in hub.of("cdn")[-2:]] == [True, False]


def test_a_part_of_something_else_is_not_used(hub: Hub, tmp_path: Path) -> None:
    target = tmp_path / "model.pth"
    hub.fail("cdn", "GET", sha(LARGE), *[hub_server.cut(LARGE, 15_000)] * 3)
    with pytest.raises(DownloadError, match="kept"):
        get(target)
    other = LARGE[::-1]
    hub.put(REPO, {"model.pth": other})
    get(target)
    assert target.read_bytes() == other
    assert hub.of("cdn")[-1].start == 0


def test_a_revision_that_moves_meanwhile_changes_nothing(hub: Hub, tmp_path: Path) -> None:
    commit = hub.commit(REPO, "main")

    def move_and_cut(handler: hub_server.Handler) -> None:
        hub.put(REPO, {"model.pth": LARGE[::-1], "config.json": SMALL[::-1]})
        hub_server.cut(SMALL, 10)(handler)

    hub.fail("hub", "GET", "config.json", move_and_cut)
    fetched = get(tmp_path / "config.json", "config.json")
    assert (tmp_path / "config.json").read_bytes() == SMALL
    assert fetched.commit == commit


def test_a_full_disk_is_told_and_the_part_kept(
    hub: Hub, tmp_path: Path, fork: Callable[..., Any]
) -> None:
    target = tmp_path / "model.pth"

    def with_a_small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        with pytest.raises(DiskFullError, match=r"model\.pth"):
            get(target)

    assert fork(with_a_small_disk).wait() == 0
    assert len(hub.of("cdn")) == 1
    get(target)
    assert target.read_bytes() == LARGE
    assert hub.of("cdn")[-1].start == 1_000_000


def test_room_is_asked_for_before_the_first_byte(hub: Hub, tmp_path: Path) -> None:
    huge = {"X-Linked-Size": str(10**17), "X-Linked-Etag": f'"{sha(LARGE)}"'}
    hub.fail("hub", "HEAD", "model.pth", lambda handler: handler.answer(200, huge))
    with pytest.raises(DiskFullError, match=r"model\.pth"):
        get(tmp_path / "model.pth")
    assert not hub.of("hub")


def test_one_writer_at_a_time(hub: Hub, tmp_path: Path) -> None:
    with partial.hold(tmp_path / "model.pth"), pytest.raises(BusyError):
        get(tmp_path / "model.pth")


# --- lists and folders ----------------------------------------------------------------------------


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
