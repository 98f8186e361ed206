"""Getting pretrains: from a hub on this machine, and from local files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hub_server
import pytest
import torch
from helpers_hub import QUICK, sha
from helpers_pretrains import write_discriminator, write_generator, write_voice
from hub_server import Hub

from engine.errors import (
    DamagedError,
    DiskFullError,
    DownloadError,
    InputError,
    LicenceError,
    RefusedError,
    StopRequested,
    UnsafeFileError,
    VoicetuiError,
)
from engine.hub import RemoteFile
from engine.pretrains import get, search, store
from engine.pretrains.entry import Entry, Role, WeightsFile
from engine.pretrains.store import Stored
from engine.xtts import base as bases
from engine.xtts.base import KnownBase, KnownFile

REPO = "anna/pretrain"


@dataclass(frozen=True)
class Made:
    """Small weights files: generators by rate, discriminators by iteration, and others."""

    g32: bytes
    g40: bytes
    g48: bytes
    d: bytes
    g_300: bytes
    d_300: bytes
    d_400: bytes
    nan: bytes
    voice: bytes


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("made")

    def of(write: Any, *given: Any, **how: Any) -> bytes:
        path = root / "file.pth"
        write(path, *given, **how)
        return path.read_bytes()

    state = write_generator(root / "file.pth", 40000)
    state["dec.conv_pre.weight"][0] = float("nan")
    torch.save({"model": state}, root / "nan.pth")
    return Made(
        g32=of(write_generator, 32000),
        g40=of(write_generator, 40000),
        g48=of(write_generator, 48000),
        d=of(write_discriminator),
        g_300=of(write_generator, 40000, leftovers=True, iteration=300),
        d_300=of(write_discriminator, leftovers=True, iteration=300),
        d_400=of(write_discriminator, leftovers=True, iteration=400),
        nan=(root / "nan.pth").read_bytes(),
        voice=of(write_voice, 40000),
    )


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub_server.running(monkeypatch) as server:
        yield server


def anna(*files: WeightsFile, **known: Any) -> Entry:
    return Entry(**({"name": "Anna", "rate": 40000, "repository": REPO, "files": files} | known))


def named(role: Role, path: str, data: bytes = b"", **known: Any) -> WeightsFile:
    pins = {"size": len(data), "sha256": sha(data)} if data else {}
    return WeightsFile(path, role, **(pins | known))


def fetch(entry: Entry, **options: Any) -> Stored:
    return get.fetch(entry, **({"policy": QUICK} | options))


def left() -> list[str]:
    """What is in the store's folder, unfinished folders too."""
    root = store.folder_of(anna()).parent
    return sorted(path.name for path in root.iterdir()) if root.exists() else []


# --- named files ----------------------------------------------------------------------------------


def test_a_pretrain_arrives_judged_and_recorded(
    hub: Hub, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub.put(REPO, {"a/G.pth": made.g_300, "a/D.pth": made.d_300})
    entry = anna(
        named("G", "a/G.pth", made.g_300), named("D", "a/D.pth", made.d_300), revision=commit
    )
    seen: list[tuple[int, int]] = []
    stored = fetch(entry, progress=lambda done, total: seen.append((done, total)))
    assert (stored.commit, stored.came, stored.folder.name) == (commit, "fetched", "anna-40k")
    assert (stored.folder / "a" / "G.pth").read_bytes() == made.g_300
    g, d = stored.file("G"), stored.file("D")
    assert (g.facts.what, g.facts.rate, g.facts.pitch, g.facts.iteration) == (
        "generator", 40000, True, 300,
    )  # fmt: skip
    assert (d.facts.what, d.path, d.sha256) == ("discriminator", "a/D.pth", sha(made.d_300))
    assert sha(stored.tensors_of("D").read_bytes()) == d.tensors_sha256
    assert stored.tensors_of("G").stat().st_size < len(made.g_300)
    assert seen[-1] == (entry.size, entry.size)
    assert left() == ["anna-40k"]

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert fetch(entry) == stored == store.stored()["anna-40k"]


@pytest.mark.usefixtures("near")
def test_without_a_commit_all_files_come_from_one(hub: Hub, made: Made) -> None:
    first = hub.put(REPO, {"G.pth": made.g40, "D.pth": made.d})

    def move(handler: hub_server.Handler) -> None:
        hub.put(REPO, {"G.pth": made.g_300, "D.pth": made.d_300})
        handler.send_resolved(handler.path.replace("/main/", f"/{first}/"))

    hub.fail("hub", "HEAD", "G.pth", move)
    stored = fetch(anna(named("G", "G.pth"), named("D", "D.pth")))
    assert stored.commit == first
    assert (stored.folder / "D.pth").read_bytes() == made.d


@pytest.mark.usefixtures("near")
def test_a_stop_keeps_what_came(hub: Hub, made: Made) -> None:
    hub.put(REPO, {"G.pth": made.g40, "D.pth": made.d})
    entry = anna(named("G", "G.pth"), named("D", "D.pth"))
    unfinished = store.folder_of(entry).with_name(".part-anna-40k")

    def check() -> None:
        if (unfinished / "D.pth.part").exists():
            raise StopRequested("SIGINT")

    with pytest.raises(StopRequested):
        fetch(entry, check=check)
    assert not store.stored()
    hub.asked.clear()
    assert fetch(entry).file("D").sha256 == sha(made.d)
    assert [asked.path[-64:] for asked in hub.of("cdn")] == [sha(made.d)]


@pytest.mark.usefixtures("near")
@pytest.mark.parametrize(
    ("g", "d", "told"),
    [
        ("d", "g40", "should be a generator"),
        ("g32", "d", "made for 32k, not for 40k"),
        ("voice", "d", "those of: voice"),
        ("nan", "d", "NaN"),
        ("g_300", "d_400", "epoch 400"),
        ("g40", "g40", "should be a discriminator"),
    ],
)
def test_what_is_not_the_promised_pair_is_refused(
    hub: Hub, made: Made, g: str, d: str, told: str
) -> None:
    hub.put(REPO, {"G.pth": getattr(made, g), "D.pth": getattr(made, d)})
    with pytest.raises(DamagedError, match=told):
        fetch(anna(named("G", "G.pth"), named("D", "D.pth")))
    assert left() == []


class Evil:
    def __reduce__(self) -> Any:
        return os.mkdir, ("/tmp/evil",)


@pytest.mark.usefixtures("near")
def test_a_program_is_refused_and_nothing_is_kept(hub: Hub, made: Made, tmp_path: Path) -> None:
    torch.save({"model": {"a": Evil()}}, tmp_path / "evil.pth")
    evil = (tmp_path / "evil.pth").read_bytes()
    hub.put(REPO, {"G.pth": evil, "D.pth": made.d})
    with pytest.raises(UnsafeFileError, match=r"G\.pth"):
        fetch(anna(named("G", "G.pth"), named("D", "D.pth")))
    assert left() == []
    # Where the catalogue vouches for the bytes, the fault may be this machine's.
    pinned = anna(named("G", "G.pth", evil), named("D", "D.pth", made.d))
    with pytest.raises(UnsafeFileError):
        fetch(pinned)
    assert left() == [".part-anna-40k"]
    assert not store.stored()


@pytest.mark.usefixtures("near")
def test_the_store_never_mixes_versions(hub: Hub, made: Made) -> None:
    hub.put(REPO, {"G.pth": made.g40, "D.pth": made.d})
    entry = anna(named("G", "G.pth"), named("D", "D.pth"))
    stored = fetch(entry)
    for newer in (
        replace(entry, files=(named("G", "G.pth", made.g_300), entry.files[1])),
        replace(entry, revision="ab" * 20),
    ):
        with pytest.raises(RefusedError, match="remove anna-40k --yes"):
            fetch(newer)
    assert fetch(replace(entry, revision=stored.commit)) == stored
    stored.tensors_of("D").unlink()
    with pytest.raises(DamagedError, match=r"D\.safetensors"):
        fetch(entry)


def test_what_cannot_be_fetched_says_how_to_bring_it(
    hub: Hub, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="get anna-40k --from G_FILE --from D_FILE"):
        fetch(anna(repository=""))
    hub.put(REPO, {"G.safetensors.pth": made.g40, "D.pth": made.d})
    with pytest.raises(InputError, match="by hand"):
        fetch(anna(named("G", "G.safetensors"), named("D", "D.pth")))
    huge = {"X-Linked-Size": str(10**17), "X-Linked-Etag": f'"{sha(made.g40)}"'}
    hub.fail("hub", "HEAD", "D.pth", lambda handler: handler.answer(200, huge))
    with pytest.raises(DiskFullError, match="anna-40k"):
        fetch(anna(named("G", "G.safetensors.pth"), named("D", "D.pth")))
    assert not hub.of("hub")
    assert left() == []
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub.asked.clear()
    with pytest.raises(DownloadError, match="get anna-40k --from G_FILE --from D_FILE"):
        fetch(anna())
    assert not hub.asked


def test_room_is_asked_for_files_and_tensors(
    hub: Hub, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.put(REPO, {"G.pth": made.g40, "D.pth": made.d})
    entry = anna(named("G", "G.pth", made.g40), named("D", "D.pth", made.d))
    enough_for_the_files = shutil.disk_usage("/")._replace(free=entry.size + 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: enough_for_the_files)
    with pytest.raises(DiskFullError):
        fetch(entry)
    assert not hub.of("cdn")


# --- files found by content -----------------------------------------------------------------------


def listed(names: dict[str, int]) -> list[RemoteFile]:
    return [RemoteFile(REPO, "c" * 40, name, size, "") for name, size in names.items()]


def test_likely_files_come_first() -> None:
    files = listed(
        {
            "README.md": 1_000,
            "f0Ov2Super32kD.pth": 857_141_306,
            "f0Ov2Super32kG.pth": 443_282_322,
            "f0Ov2Super40kG.pth": 438_183_069,
            "f0Ov2Super40kD.pth": 857_126_469,
            "old/40k/D.pth": 142_875_703,
            "voices/Bob_40k.pth": 55_000_000,
            "hubert.pt": 189_507_909,
            "added_IVF_40k.index": 90_000_000,
            "D_2400000.pth": 857_126_469,
        }
    )
    groups = [[file.path for file in group] for group in search.likely_first(anna(), files)]
    assert groups == [
        ["f0Ov2Super40kG.pth", "f0Ov2Super40kD.pth"],
        ["old/40k/D.pth"],
        ["voices/Bob_40k.pth"],
        ["hubert.pt", "D_2400000.pth"],
        ["f0Ov2Super32kD.pth", "f0Ov2Super32kG.pth"],
    ]
    below = anna(folder="/old/")
    assert [[f.path for f in group] for group in search.likely_first(below, files)] == [
        ["old/40k/D.pth"]
    ]


@pytest.mark.usefixtures("near")
def test_a_pair_is_found_by_its_tensors(hub: Hub, made: Made) -> None:
    commit = hub.put(
        REPO,
        {
            "README.md": b"40k",
            "v1/normal/first_40k.pth": made.voice,
            "v1/normal/second_40k.pth": made.d,
            "v1/normal/copy_40k.pth": made.d,
            "v1/normal/plain.pth": made.g40,
            "v1/normal/other_32k.pth": made.g32,
            "G_40k.pth": made.g_300,
        },
    )
    stored = fetch(anna(folder="v1"))
    assert {file.role: file.path for file in stored.files} == {
        "G": "v1/normal/plain.pth", "D": "v1/normal/second_40k.pth",
    }  # fmt: skip
    assert stored.commit == commit
    assert stored.entry.files == (
        named("G", "v1/normal/plain.pth", made.g40), named("D", "v1/normal/second_40k.pth", made.d),
    )  # fmt: skip
    came = {path.name for path in stored.folder.rglob("*.pth")}
    assert came == {"plain.pth", "second_40k.pth"}
    asked = {asked.path[-64:] for asked in hub.of("cdn")}
    assert sha(made.g_300) not in asked
    assert sha(made.g32) not in asked
    assert fetch(anna(folder="v1")) == stored


@pytest.mark.usefixtures("near")
def test_a_search_that_finds_no_pair_lists_what_it_saw(hub: Hub, made: Made) -> None:
    hub.put(REPO, {"G_40k.pth": made.g32, "D.pth": made.d, "x\x1b[31m.pth": b"x", "a.txt": b"x"})
    with pytest.raises(DownloadError) as failure:
        fetch(anna())
    told = str(failure.value)
    assert "no pair" in told
    assert "G_40k.pth: generator, RVC v2, 32k" in told
    assert "D.pth: discriminator" in told
    assert "x␛[31m.pth" in told
    assert "\x1b" not in told
    assert "--from G_FILE --from D_FILE" in told
    assert left() == []


def test_a_search_does_not_fetch_without_end(hub: Hub) -> None:
    hub.put(REPO, {f"{number}.pth": b"%d" % number for number in range(40)})
    with pytest.raises(DownloadError, match="Seen: 40 more weights files, which are too many"):
        fetch(anna())
    assert not hub.of("cdn")
    assert left() == []


@pytest.mark.usefixtures("near")
def test_a_search_that_finds_several_pairs_does_not_choose(hub: Hub, made: Made) -> None:
    hub.put(REPO, {"G.pth": made.g40, "D.pth": made.d, "E.pth": made.d_400, "F.pth": made.d_300})
    with pytest.raises(search.Ambiguous, match="more than one pair") as failure:
        fetch(anna())
    assert all(name in str(failure.value) for name in ("G.pth", "D.pth", "E.pth", "F.pth"))
    assert left() == [".part-anna-40k"]
    # What was fetched serves an entry that names its files.
    hub.asked.clear()
    stored = fetch(anna(named("G", "G.pth"), named("D", "F.pth")))
    assert stored.file("D").facts.iteration == 300
    assert not hub.of("cdn")
    assert not list(stored.folder.glob("E.pth"))


@pytest.mark.parametrize(
    "name",
    ["../evil.pth", "/evil.pth", "a/../../evil.pth", "C:\\evil.pth", "..\\evil.pth", "a\0.pth",
     "\\\\host\\evil.pth", f"{'e' * 300}.pth", "\ud800.pth", ".lock/x.pth"],
)  # fmt: skip
def test_a_listed_name_that_is_none_is_not_used(
    hub: Hub, made: Made, tmp_path: Path, home: Path, name: str
) -> None:
    hub.put(REPO, {"a.txt": b"x"})
    blob = {"rfilename": name, "size": 1, "lfs": {"sha256": sha(b"x")}}
    listing = json.dumps({"sha": hub.commit(REPO, "main"), "siblings": [blob]}).encode()
    hub.fail("hub", "GET", "/main", hub_server.content(listing))
    head = {"X-Linked-Size": "1", "X-Linked-Etag": f'"{sha(b"x")}"'}
    hub.fail("hub", "HEAD", "", lambda handler: handler.answer(200, head))
    with pytest.raises((InputError, DownloadError)):
        fetch(anna())
    assert left() == []
    assert not [path for root in (home, tmp_path) for path in root.rglob("*evil*")]


# --- local files ----------------------------------------------------------------------------------


def put(folder: Path, **files: bytes) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / f"{name}.pth").write_bytes(data)
    return [folder / f"{name}.pth" for name in files]


@pytest.mark.usefixtures("near")
def test_local_files_are_taken_in_any_order(made: Made, tmp_path: Path) -> None:
    paths = put(tmp_path, second=made.d, first=made.g40)
    entry = anna(named("G", "x/G.pth", made.g40), named("D", "x/D.pth", made.d))
    stored = get.import_files(entry, paths)
    assert (stored.came, stored.commit) == ("imported", "")
    assert {file.role: file.path for file in stored.files} == {"G": "first.pth", "D": "second.pth"}
    assert (stored.folder / "first.pth").read_bytes() == made.g40
    with pytest.raises(RefusedError, match="remove anna-40k"):
        get.import_files(entry, paths)
    assert fetch(entry) == stored


@pytest.mark.usefixtures("near")
def test_a_pair_is_chosen_from_a_folder(made: Made, tmp_path: Path) -> None:
    put(tmp_path, a=made.voice, b=made.d_300, c=made.g32, d=made.g_300, e=made.d_400)
    (tmp_path / "notes.txt").write_text("x")
    stored = get.import_files(anna(), [tmp_path])
    assert [file.path for file in stored.files] == ["d.pth", "b.pth"]
    known = anna(named("G", "x/c.pth"), named("D", "x/b.pth"), name="Bert", rate=48000)
    with pytest.raises(DamagedError, match="made for 32k, not for 48k"):
        get.import_files(known, [tmp_path])
    put(tmp_path / "two", a=made.g40, b=made.d, c=made.d_300)
    with pytest.raises(InputError, match=r"more than one pair .* c\.pth: discriminator"):
        get.import_files(anna(name="Carl"), [tmp_path / "two"])
    assert left() == ["anna-40k"]


@pytest.mark.usefixtures("near")
def test_a_folder_of_another_store_is_taken_with_names_like_its_own(
    made: Made, tmp_path: Path
) -> None:
    (a, b) = put(tmp_path, a=made.g40, b=made.d)
    stored = get.import_files(anna(), [a, b])
    moved = shutil.copytree(stored.folder, tmp_path / "stick")
    plain = [moved / "G.safetensors", moved / "D.safetensors"]
    store.remove("anna-40k")
    again = get.import_files(anna(), [moved])
    assert [file.sha256 for file in again.files] == [file.sha256 for file in stored.files]
    from_plain = get.import_files(anna(name="Bert"), plain)
    assert [file.path for file in from_plain.files] == ["copy-G.safetensors", "copy-D.safetensors"]
    assert store.load(from_plain.folder).file("G").tensors_sha256 == again.file("G").tensors_sha256


@pytest.mark.usefixtures("near")
@pytest.mark.parametrize(
    ("files", "told"),
    [
        (["g32", "d"], "made for 32k"),
        (["d", "d_300"], "one generator and one discriminator"),
        (["g40", "g_300"], "g40.pth is a generator, g_300.pth is a generator"),
        (["g40"], "two files"),
        (["g40", "voice"], "one generator and one discriminator"),
        (["g_300", "d_400"], "epoch"),
        (["g40", "none"], "no file or folder"),
    ],
)
def test_local_files_that_are_no_pair_are_refused(
    made: Made, tmp_path: Path, files: list[str], told: str
) -> None:
    put(tmp_path, **{name: getattr(made, name) for name in files if name != "none"})
    with pytest.raises(VoicetuiError, match=told):
        get.import_files(anna(), [tmp_path / f"{name}.pth" for name in files])
    assert left() == []


@pytest.mark.usefixtures("near")
def test_other_bytes_than_the_published_are_refused(made: Made, tmp_path: Path) -> None:
    paths = put(tmp_path, G=made.g_300, D=made.d)
    entry = anna(named("G", "G.pth", made.g40), named("D", "D.pth", made.d))
    with pytest.raises(DamagedError, match=r"not a published file of Anna.*--name"):
        get.import_files(entry, paths)
    assert not store.stored()
    assert not list(store.folder_of(entry).parent.rglob("G.pth*"))


@pytest.mark.usefixtures("near")
def test_a_pretrain_of_ones_own_gets_the_rate_of_its_tensors(made: Made, tmp_path: Path) -> None:
    paths = put(tmp_path, a=made.d, b=made.g48)
    entry = get.own_entry("Carla's", paths)
    assert (entry.rate, entry.slug, entry.origin) == (48000, "carla-s-48k", "made")
    stored = get.import_files(entry, paths)
    assert store.stored() == {"carla-s-48k": stored}
    taken = "There is a pretrain called titan-40k already"
    for name, told in (
        ("carla S", "already"),
        ("RVC v2", "already"),
        ("TITAN 40k", taken),
        ("日本", "a to z"),
    ):
        with pytest.raises(VoicetuiError, match=told):
            get.own_entry(name, paths)
    with pytest.raises(InputError, match="--rate"):
        get.own_entry("Dora", put(tmp_path / "x", a=made.d, b=made.d_300))
    assert get.own_entry("Dora", paths, rate=32000).slug == "dora-32k"


# --- XTTS bases -----------------------------------------------------------------------------------


def test_a_base_needs_its_licence(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {name: name.encode() * 100 for name in bases.FILES}
    commit = hub.put("coqui/XTTS-v2", files)
    known = tuple(KnownFile(name, commit, len(data), sha(data)) for name, data in files.items())
    base = KnownBase("xtts-v2.0.3", "coqui/XTTS-v2", "Some Licence", "https://l.example", known)
    monkeypatch.setattr(bases, "known", lambda: {base.name: base})
    entry = Entry(base.name, 24000, "xtts", repository=base.repository)
    with pytest.raises(LicenceError, match="--accept-licence"):
        fetch(entry)
    assert not hub.asked
    stored = fetch(entry, accept_licence=True)
    assert stored == store.stored()[base.name] == fetch(entry)
    assert (stored.commit, stored.folder) == (commit, store.folder_of(entry))
