"""Strangers' files: nothing in a bad one runs and each is refused; no good one is."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import corpus_bad
import corpus_good
import pytest
from corpus_mutations import mutations
from corpus_parts import Case, calls, whole

from engine.pretrains.facts import facts_from

ROOT = Path(__file__).parents[2]
REFUSALS = {"UnsafeFileError", "DamagedError"}
MOST_MEMORY = 512 << 20
MOST_SECONDS = 2.0


class Reading:
    """A process that reads many files, each in a fork with limits; traced where strace is there."""

    def __init__(self, folder: Path) -> None:
        self._trace = folder / "trace"
        watch = ["execve", "execveat", "connect", "chdir"]
        tracer = ["strace", "--seccomp-bpf", "-f", "-qq", "-e", f"trace={','.join(watch)}"]
        traced = [*tracer, "-o", str(self._trace)] if shutil.which("strace") else []
        self._process = subprocess.Popen(
            [*traced, sys.executable, str(Path(__file__).with_name("read_many.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": str(ROOT), "HOME": str(folder), "OMP_NUM_THREADS": "1"},
            cwd=folder,
            text=True,
        )

    def read(self, path: Path, target: Path | str = "") -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(
            json.dumps({"path": str(path), "target": str(target)}),
            file=self._process.stdin,
            flush=True,
        )
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def executed(self) -> list[str]:
        """System calls that start a program or reach out, after all modules were there."""
        if not self._trace.exists():
            return []
        lines = self._trace.read_text(errors="replace").splitlines()
        begin = next(number for number, line in enumerate(lines) if "chdir(" in line)
        return [line for line in lines[begin:] if "exec" in line or "connect(" in line]


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    reading = Reading(tmp_path_factory.mktemp("reading"))
    yield reading
    reading.close()
    assert reading.executed() == []


@dataclass(frozen=True)
class Refused:
    case: Case
    answer: dict[str, Any]


def refusals(reading: Reading, cases: Iterable[Case], folder: Path) -> list[Refused]:
    """Read all; fails when one runs, is not refused, or takes the reader down."""
    found = []
    for number, case in enumerate(cases):
        path, marker = folder / f"{number:03d}{case.suffix}", folder / f"marker-{number}"
        case.make(path, marker)
        found.append(Refused(case, reading.read(path)))
    assert not list(folder.glob("marker*"))
    for refused in found:
        what, answer = f"{refused.case.kind}: {refused.case.name}", refused.answer
        assert answer.get("error") in REFUSALS, (what, answer)
        assert answer["started"] == [], what
        assert answer["status"] == 0, what
        assert answer["memory"] < MOST_MEMORY, what
        assert len(answer["message"]) > len(str(folder)) + 20, what
    return found


def sample(cases: Sequence[Case]) -> list[Case]:
    """One of each class, not always the first."""
    kinds: dict[str, list[Case]] = {}
    for case in cases:
        kinds.setdefault(case.kind, []).append(case)
    return [of_kind[number % 5] for number, of_kind in enumerate(kinds.values())]


def test_the_corpus_has_five_files_of_each_class() -> None:
    kinds = Counter(case.kind for case in corpus_bad.cases())
    assert sum(kinds.values()) >= 120
    assert min(kinds.values()) >= 5, kinds


def test_a_payload_of_the_corpus_would_run(tmp_path: Path) -> None:
    """With an unpickler that is not ours; else the corpus would prove nothing."""
    marker = tmp_path / "marker"
    payloads = calls(marker)
    for name in ("posix.system", "builtins.eval", "builtins.open", "shutil.copy"):
        pickle.loads(whole(payloads[name]))
        assert marker.exists(), name
        marker.unlink()


def test_bad_files_are_refused_and_nothing_runs(reading: Reading, tmp_path: Path) -> None:
    cases = sample(corpus_bad.cases())
    assert len(refusals(reading, cases, tmp_path)) == len(cases) >= 20


@pytest.mark.long
def test_all_bad_files_are_refused_and_nothing_runs(reading: Reading, tmp_path: Path) -> None:
    cases = corpus_bad.cases()
    refused = refusals(reading, cases, tmp_path)
    assert len(refused) == len(cases) >= 120
    print(f"\n{len(refused)} files in {len({each.case.kind for each in refused})} classes, 0 ran")


def agree(reading: Reading, layouts: Iterable[corpus_good.Layout], folder: Path) -> int:
    """Read and convert all; fails when one is refused or comes back otherwise."""
    import torch
    from safetensors.torch import load_file

    count = 0
    for number, layout in enumerate(layouts):
        path, target = folder / f"{number}{layout.suffix}", folder / f"{number}-plain"
        expected = layout.make(path)
        answer = reading.read(path, target)
        assert "facts" in answer, (layout.name, answer)
        facts = facts_from(answer["facts"])
        assert {key: getattr(facts, key) for key in layout.facts} == layout.facts, layout.name
        known = facts.what != "other"
        assert facts.problems == () or not known, (layout.name, facts.problems)
        plain = load_file(target)
        assert set(plain) == set(expected), layout.name
        for name, tensor in expected.items():
            assert plain[name].dtype == tensor.dtype, (layout.name, name)
            assert torch.equal(plain[name], tensor.detach()), (layout.name, name)
        count += 1
    return count


def test_good_files_are_read_and_stay_equal(reading: Reading, tmp_path: Path) -> None:
    layouts = corpus_good.layouts()
    assert len(layouts) >= 30
    assert agree(reading, layouts[::5], tmp_path) >= 10


@pytest.mark.long
def test_all_good_files_are_read_and_stay_equal(reading: Reading, tmp_path: Path) -> None:
    print(f"\n{agree(reading, corpus_good.layouts(), tmp_path)} layouts, 0 refused")


def survive(reading: Reading, folder: Path, count: int, seed: int) -> Counter[str]:
    ends: Counter[str] = Counter()
    path = folder / "spoilt.pth"
    for number, data in enumerate(mutations(folder, count, seed)):
        path.write_bytes(data)
        answer = reading.read(path)
        what = f"mutation {number} of seed {seed}"
        assert "facts" in answer or answer.get("error") in REFUSALS, (what, answer)
        assert answer["status"] == 0, what
        assert answer["memory"] < MOST_MEMORY, what
        assert answer["cpu"] < MOST_SECONDS, what
        ends[answer.get("error", "read")] += 1
    return ends


def test_spoilt_files_never_break_the_reader(reading: Reading, tmp_path: Path) -> None:
    ends = survive(reading, tmp_path, 60, seed=1)
    assert ends["DamagedError"] + ends["UnsafeFileError"] > 30


@pytest.mark.long
def test_thousands_of_spoilt_files_never_break_the_reader(reading: Reading, tmp_path: Path) -> None:
    ends = survive(reading, tmp_path, 4000, seed=2)
    print(f"\n{dict(ends)} of 4000 mutations")
