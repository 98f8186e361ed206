"""Pretrains as the pictures show them: some here, some coming, one damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.languages import LANGUAGES
from engine.pretrains.entry import Entry, WeightsFile
from engine.pretrains.facts import Facts
from engine.pretrains.installations import Installation
from engine.pretrains.store import Stored, StoredFile
from engine.project import Project
from voicetui.screens.pretrains.shelf import Item, Shelf
from voicetui.tasks import State, Task

_HASHES = {"G": "3b2c44035e782c4b14ddc0bede9e2f4a", "D": "6b6ab091e70801b28e3f41f335f2fc5f"}
_PAIR = {"G": 438_183_069, "D": 857_126_469}
_G = Facts("generator", 560, 36_458_818, 145_835_272, "fp32", "v2", 40000, pitch=True, speakers=109)
_D = Facts("discriminator", 165, 71_410_594, 285_642_376, "fp32", "v2")


def entry(name: str, rate: int, author: str, kind: Any, **known: Any) -> Entry:
    """A pretrain of the catalogue whose files are known, unless others are given."""
    files = tuple(WeightsFile(f"{r}_{name}.pth", r, _PAIR[r], _HASHES[r]) for r in ("G", "D"))  # type: ignore[arg-type]
    return Entry(
        name, rate, author=author, kind=kind, **{"repository": "a/b", "files": files, **known}
    )


def here(home: Path, known: Entry, *lineage: str) -> Stored:
    """A pretrain on this machine."""
    files = tuple(
        StoredFile(file.role, file.path, file.size, file.sha256, _G if file.role == "G" else _D)
        for file in known.files
    )
    folder = home / "models" / "rvc" / known.slug
    came: Any = "merged" if lineage else "fetched"
    since, commit = "2026-11-02T10:00:00+00:00", "" if lineage else "70ed563897504c756ec94067c12c"
    return Stored(folder, known, came, commit, since, files, lineage)


class Pictured(Task):
    """A task that stands still."""

    def __init__(self, key: str, name: str, state: State, done: int = 0, total: int = 0) -> None:
        super().__init__(key, "fetching", name, lambda *_: None)
        self._still = state
        self.done, self.total = done, total

    @property
    def state(self) -> State:
        return self._still

    @property
    def seconds_left(self) -> float | None:
        return 127.0 if self._still == "going" else None


TASKS = (
    Pictured("snowiev3.1-40k", "SnowieV3.1 40k", "going", 543_812_000, 1_295_291_136),
    Pictured("rigel-32k", "Rigel 32k", "waiting"),
)
_RVC = "An RVC pretrain is a start for training in Applio or RVC, not for an XTTS voice."


def pictured(home: Path, project: Project) -> Shelf:
    """The shelf of the pictures."""
    titan = entry(
        "TITAN", 40000, "blaise-tk", "finetune", parent="RVC v2", hours=11.2, languages=("en",),
        repository="blaise-tk/TITAN", folder="models/medium/40k/pretrained", licence="MIT",
    )  # fmt: skip
    rin = entry("RIN_E3", 40000, "MUSTAR", "scratch", hours=140.0, repository="MUSTAR/RIN_E3")
    mine = entry(
        "TITAN x RIN_E3",
        40000,
        "",
        "merge",
        repository="",
        languages=("en",),
        parent="TITAN, RIN_E3",
    )
    flat = entry(
        "RVC v2 without pitch", 40000, "RVC Project", "scratch", pitch=False, licence="MIT"
    )
    tool = Installation("applio", home / "Applio", home / "Applio/rvc/models/pretraineds/custom")
    xtts: dict[str, Any] = {
        "family": "xtts",
        "languages": tuple(LANGUAGES),
        "licence": "Coqui Public Model License 1.0.0 (non-commercial use only)",
    }
    unknown: dict[str, Any] = {"files": ()}
    base = entry("xtts-v2.0.3", 24000, "coqui", "unknown", **xtts)
    items = [
        Item(entry("RVC v2", 32000, "RVC Project", "scratch", licence="MIT")),
        Item(entry("RVC v2", 40000, "RVC Project", "scratch", licence="MIT")),
        Item(entry("RVC v2", 48000, "RVC Project", "scratch", licence="MIT")),
        Item(flat, stored=here(home, flat), unfit=_RVC),
        Item(entry("DMR V1", 32000, "Razer", "unknown", **unknown), unfit=_RVC),
        Item(entry("Itaila V1.0", 32000, "Ilaria", "finetune", hours=10.0, languages=("it",))),
        Item(
            entry("KLM 4.1", 32000, "SeoulStreamingStation", "finetune", hours=100.0,
                  languages=("ko", "ja", "en"), **unknown)
        ),
        Item(titan, stored=here(home, titan), unfit=_RVC, installed=(tool,)),
        Item(rin, stored=here(home, rin), unfit=_RVC),
        Item(entry("Rigel", 32000, "MUSTAR", "finetune", hours=102.0), part=True),
        Item(entry("SnowieV3.1", 40000, "MUSTAR", "finetune", hours=58.0, languages=("ru", "ja"))),
        Item(entry("UKA", 32000, "PlasmaTi", "unknown"), damage="UKA is damaged."),
        Item(base, stored=here(home, base), is_base=True),
        Item(entry("xtts-v2.0.2", 24000, "coqui", "unknown", **{**xtts, **unknown})),
        Item(mine, stored=here(home, mine, "0.5 of TITAN (titan-40k)", "0.5 of RIN_E3 (rin-e3-40k)")),
    ]  # fmt: skip
    return Shelf(items, project)
