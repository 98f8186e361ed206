"""Two hundred faulty answers of a hub, and downloads that are killed.

What single faults lead to is told in tests/test_hub_faults.py. Here they come at random places and
often, and whatever happens: no bad file gets its final name, what is served rightly afterwards is
fetched rightly, and the token goes to nobody else.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hub_server
import pytest
from helpers_hub import LARGE, QUICK, TOKEN, sha
from helpers_pretrains import write_discriminator, write_generator
from hub_server import Fault, Hub

from engine.errors import VoicetuiError
from engine.pretrains import get, store
from engine.pretrains.entry import Entry, WeightsFile
from engine.pretrains.store import Stored

REPO = "anna/pretrain"
CASES = 200


@dataclass(frozen=True)
class World:
    """The hub, the file that a fault is about, and other bytes of its size that are weights too."""

    hub: Hub
    name: str
    right: bytes
    wrong: bytes
    chance: random.Random
    release: threading.Event

    @property
    def place(self) -> int:
        return self.chance.randrange(1, len(self.right))


Where = tuple[str, str]
CDN: Where = ("cdn", "GET")
HEAD: Where = ("hub", "HEAD")
GET: Where = ("hub", "GET")


def cut(w: World) -> tuple[Where, list[Fault]]:
    return CDN, [hub_server.cut(w.right, w.place)]


def less_than_promised(w: World) -> tuple[Where, list[Fault]]:
    return CDN, [hub_server.content(w.right[: w.place])]


def more_than_promised(w: World) -> tuple[Where, list[Fault]]:
    return CDN, [hub_server.content(w.right + bytes(w.place))]


def other_bytes(w: World) -> tuple[Where, list[Fault]]:
    return CDN, [hub_server.content(w.wrong)]


def a_flipped_bit(w: World) -> tuple[Where, list[Fault]]:
    flipped = bytearray(w.right)
    flipped[w.place] ^= 1 << w.chance.randrange(8)
    return CDN, [hub_server.content(bytes(flipped))]


def other_bytes_for_the_rest(w: World) -> tuple[Where, list[Fault]]:
    return CDN, [hub_server.cut(w.right, w.place), hub_server.cut(w.wrong, len(w.right))]


def wrong_tag_of_the_hub(w: World) -> tuple[Where, list[Fault]]:
    head = {"X-Linked-Size": str(len(w.right)), "X-Linked-Etag": f'"{sha(w.wrong)}"'}
    return HEAD, [lambda handler: handler.answer(200, head)]


def no_tag(_: World) -> tuple[Where, list[Fault]]:
    return HEAD, [hub_server.content(b"")]


def wrong_tag_of_the_content(w: World) -> tuple[Where, list[Fault]]:
    return CDN, [hub_server.content(w.right, ETag=f'"{w.chance.getrandbits(64):x}"')]


def led_to_another_host(w: World) -> tuple[Where, list[Fault]]:
    w.hub.blobs[sha(w.wrong)] = w.wrong
    away = hub_server.redirect(
        f"{w.hub.cdn_address}/blobs/{sha(w.wrong)}", w.chance.choice((301, 302, 303, 307, 308))
    )
    return w.chance.choice((HEAD, GET, CDN)), [away]


def led_in_circles(w: World) -> tuple[Where, list[Fault]]:
    return GET, [lambda handler: hub_server.redirect(handler.path)(handler)] * 12


def drips(w: World) -> tuple[Where, list[Fault]]:
    return CDN, [hub_server.drip(w.right, len(w.right) // 20 + 1, w.release)]


def all_for_a_range(w: World) -> tuple[Where, list[Fault]]:
    whole = w.chance.choice((w.right, w.wrong))
    return CDN, [hub_server.cut(w.right, w.place), hub_server.content(whole)]


def no_such_range(w: World) -> tuple[Where, list[Fault]]:
    refusal = {"Content-Range": f"bytes */{w.place}"}
    return CDN, [
        hub_server.cut(w.right, w.place),
        lambda handler: handler.answer(416, refusal),
    ]


def zipped(w: World) -> tuple[Where, list[Fault]]:
    return CDN, [hub_server.zipped(w.right)]


def wrong_range(w: World) -> tuple[Where, list[Fault]]:
    at, start, size = w.place, w.place, len(w.right)
    said = w.chance.choice(
        (f"bytes {start}-{size - 1}/{size}", f"bytes {at}-{size - 1}/{size + 1}", "bytes */*", "x")
    )
    return CDN, [hub_server.cut(w.right, at), hub_server.partial_content(w.right[start:], said)]


def a_moving_branch(w: World) -> tuple[Where, list[Fault]]:
    before = w.hub.commit(REPO, "main")
    files = w.hub.commits[before]

    def move(handler: hub_server.Handler) -> None:
        w.hub.put(REPO, {name: data[::-1] for name, data in files.items()})
        handler.send_resolved(handler.path.replace("/main/", f"/{before}/"))

    return HEAD, [move]


def out_of_order(w: World) -> tuple[Where, list[Fault]]:
    code = w.chance.choice((500, 502, 503, 504, 520))
    return w.chance.choice((HEAD, GET, CDN)), [hub_server.status(code)]


def too_many_requests(w: World) -> tuple[Where, list[Fault]]:
    return w.chance.choice((HEAD, GET, CDN)), [hub_server.status(429)]


def nonsense(w: World) -> tuple[Where, list[Fault]]:
    junk = w.chance.randbytes(40) + b"\r\n\r\n"

    def send(handler: hub_server.Handler) -> None:
        handler.wfile.write(junk)
        handler.close_connection = True

    return w.chance.choice((HEAD, GET, CDN)), [send]


KINDS: tuple[Callable[[World], tuple[Where, list[Fault]]], ...] = (
    cut, less_than_promised, more_than_promised, other_bytes, a_flipped_bit,
    other_bytes_for_the_rest, wrong_tag_of_the_hub, no_tag, wrong_tag_of_the_content,
    led_to_another_host, led_in_circles, drips, all_for_a_range, no_such_range, zipped,
    wrong_range, a_moving_branch, out_of_order, too_many_requests, nonsense,
)  # fmt: skip


@dataclass(frozen=True)
class Pairs:
    right: dict[str, bytes]
    wrong: dict[str, bytes]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    """A pair, and another that would pass every judgement: only its hashes tell."""
    root = tmp_path_factory.mktemp("pairs")
    found: list[dict[str, bytes]] = []
    for seed in (1, 9):
        write_generator(root / "G.pth", 40000, seed=seed)
        write_discriminator(root / "D.pth", seed=seed + 1)
        found.append({name: (root / name).read_bytes() for name in ("G.pth", "D.pth")})
    assert [len(data) for data in found[0].values()] == [len(data) for data in found[1].values()]
    return Pairs(*found)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, near: None) -> Iterator[Hub]:
    with hub_server.running(monkeypatch) as server:
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield server


def files_of(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file())


def require_no_bad_file(right: dict[str, bytes], fetched: Stored | None) -> None:
    """Whatever bears a final name is what was published, in the unfinished folder too."""
    root = store.folder_of(Entry("Anna", 40000)).parent
    for path in files_of(root) if root.exists() else ():
        if path.name in right:
            assert path.read_bytes() == right[path.name], path
    assert (root / "anna-40k").exists() == (fetched is not None)
    assert set(store.stored()) == ({"anna-40k"} if fetched else set())


def try_one(number: int, hub: Hub, pairs: Pairs, home: Path, release: threading.Event) -> None:
    chance = random.Random(number)
    name = chance.choice(("G.pth", "D.pth"))
    world = World(hub, name, pairs.right[name], pairs.wrong[name], chance, release)
    commit = hub.put(REPO, pairs.right)
    pinned = chance.random() < 0.5
    entry = Entry(
        "Anna",
        40000,
        repository=REPO,
        revision=chance.choice(("", commit)),
        files=tuple(
            WeightsFile(path, role, len(data) * pinned, sha(data) * pinned)
            for role, (path, data) in zip(("G", "D"), pairs.right.items(), strict=True)
        ),
    )
    (server, method), faults = KINDS[number % len(KINDS)](world)
    place = sha(world.right) if server == "cdn" else name
    faults *= chance.choice((1, 1, 2, 4))
    hub.fail(server, method, place, *faults)

    told, fetched = "", None
    try:
        fetched = get.fetch(entry, policy=QUICK)
    except VoicetuiError as error:
        told = str(error)
        assert "http://" not in told
    require_no_bad_file(pairs.right, fetched)

    assert len(hub.faults.pop((server, method, place))) < len(faults)
    hub.refs[REPO]["main"] = commit
    again = get.fetch(entry, policy=QUICK)
    require_no_bad_file(pairs.right, again)
    assert TOKEN not in told
    for asked in hub.asked:
        said = asked.headers.get("authorization")
        assert said == (f"Bearer {TOKEN}" if asked.server == "hub" else None)
    assert not [path for path in files_of(home) if TOKEN.encode() in path.read_bytes()]


@pytest.mark.parametrize("number", range(len(KINDS)))
def test_a_faulty_answer_never_makes_a_bad_file(
    number: int, hub: Hub, pairs: Pairs, home: Path, release: threading.Event, capfd: Any
) -> None:
    try_one(number, hub, pairs, home, release)
    assert TOKEN not in "".join(capfd.readouterr())


@pytest.mark.long
@pytest.mark.parametrize("number", range(len(KINDS), CASES))
def test_two_hundred_faulty_answers_never_make_a_bad_file(
    number: int, hub: Hub, pairs: Pairs, home: Path, release: threading.Event, capfd: Any
) -> None:
    try_one(number, hub, pairs, home, release)
    assert TOKEN not in "".join(capfd.readouterr())


# --- killed downloads -----------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("number", range(20))
def test_a_killed_download_keeps_its_bytes(
    number: int,
    hub: Hub,
    pairs: Pairs,
    fork: Callable[..., Any],
    release: threading.Event,
) -> None:
    """Killed at a random point of a pair whose second file is the larger one."""
    import httpx  # noqa: F401  (so that the child need not)
    import huggingface_hub  # noqa: F401

    chance = random.Random(number)
    small, large = pairs.right["G.pth"], LARGE
    hub.put(REPO, {"G.pth": small, "D.pth": large})
    entry = Entry("Anna", 40000, repository=REPO, files=(
        WeightsFile("G.pth", "G"), WeightsFile("D.pth", "D"),
    ))  # fmt: skip
    sent = chance.randrange(100_000, len(large))
    hub.fail("cdn", "GET", sha(large), hub_server.hold(large, sent, release))
    unfinished = store.folder_of(entry).with_name(".part-anna-40k")
    reading_end, writing_end = os.pipe()

    def report() -> None:
        part = unfinished / "D.pth.part"
        os.write(writing_end, struct.pack("q", part.stat().st_size if part.exists() else 0))

    child = fork(lambda: get.fetch(entry, policy=QUICK, check=report))
    os.close(writing_end)
    killed_at = chance.randrange(1, sent)
    while (came := struct.unpack("q", os.read(reading_end, 8))[0]) < killed_at:
        pass
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    os.close(reading_end)
    assert not store.stored()
    assert (unfinished / "G.pth").read_bytes() == small

    hub.asked.clear()
    with pytest.raises(VoicetuiError):
        # Random bytes are no discriminator: all came, and nothing gets the name.
        get.fetch(entry, policy=QUICK)
    (asked,) = hub.of("cdn")
    assert asked.start >= came >= 0.9 * killed_at
    assert not store.stored()
