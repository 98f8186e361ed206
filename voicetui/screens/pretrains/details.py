"""All that is known of a pretrain, in labelled sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from engine.languages import LANGUAGES
from engine.pretrains.entry import Entry
from engine.project import Project
from engine.text import clean
from voicetui.amounts import number, size
from voicetui.fetching import pace
from voicetui.screens.pretrains.shelf import Item
from voicetui.tasks import Task
from voicetui.typed import short
from voicetui.widgets.styled import Line, fitted, wrapped

_LABEL = 12
_HUB = "https://huggingface.co/"
_HASH_DIGITS = 12
_KINDS = {
    "scratch": "trained from scratch",
    "finetune": "a finetune",
    "merge": "a merge",
    "unknown": "how it was made is not told",
}


class Fact(NamedTuple):
    """A labelled sentence; a label "" goes on with the one before."""

    label: str
    text: str
    style: str = ""


def page_of(entry: Entry) -> str:
    """The address of its page, or "" when it has none."""
    if not entry.repository:
        return ""
    if not entry.folder:
        return f"{_HUB}{entry.repository}"
    return f"{_HUB}{entry.repository}/tree/{entry.revision or 'main'}/{entry.folder}"


def facts_of(item: Item, project: Project | None, task: Task | None) -> list[Fact]:
    """What is known of an item, what matters most first."""
    is_base = item.entry.family == "xtts"
    use = list(_use(item, project))
    return [
        *_state(item, task),
        *(use if is_base else ()),
        Fact("What", _what(item)),
        *_knows(item.entry),
        *_note(item),
        *(() if is_base else use),
        *_tensors(item),
        *_origin(item),
        *_installed(item),
        *_files(item),
    ]


def lines_of(facts: Sequence[Fact], width: int) -> list[Line]:
    """The facts as lines of a width."""
    lines: list[Line] = []
    for label, text, style in facts:
        first, *more = wrapped(text, max(10, width - _LABEL - 1))
        lines.append([(fitted(f" {label}", _LABEL), "dim"), (first, style)])
        lines += [[(" " * _LABEL, ""), (line, style)] for line in more]
    return lines


def _state(item: Item, task: Task | None) -> Iterator[Fact]:
    if task is not None and not task.is_over:
        yield Fact("State", _at_work(task), "accent")
        return
    if task is not None and task.problem:
        yield Fact("Failed", clean(task.problem), "bad")
    if item.damage:
        yield Fact("Damaged", clean(item.damage), "bad")
    elif item.stored is not None:
        stored = item.stored
        commit = f", commit {clean(stored.commit)[:_HASH_DIGITS]}" if stored.commit else ""
        came = f"{stored.came} {clean(stored.since[:10])}{commit}"
        yield Fact("State", f"On this machine: {came}, in {clean(short(stored.folder))}.", "good")
    elif item.part:
        yield Fact("State", "Part of it came already; f goes on from there.", "warn")
    else:
        yield Fact("State", _not_here(item))


def _at_work(task: Task) -> str:
    if task.state == "waiting":
        return "Waits for what was begun before it; x takes it out of the line."
    if task.is_stopping:
        return "Stopping; what came is kept."
    if task.is_checking:
        return "All of it came; it is checked and read now."
    share = f" {task.share:.0%}, {size(task.done)} of {size(task.total)}" if task.total else " …"
    return f"{task.doing.capitalize()}{share}{pace(task)}; x stops it."


def _not_here(item: Item) -> str:
    entry = item.entry
    amount = f", {size(item.size)}" if item.size else ""
    if not entry.repository:
        return (
            "Not here, and where to fetch it from is not known. When you have its files, F takes "
            "them."
        )
    if entry.is_verified:
        return f"Not here{amount}; f fetches it. Sizes and hashes are known and will be checked."
    return (
        f"Not here{amount}; f fetches it. Unverified: its hashes are not known beforehand, so that "
        "what comes is recorded, to notice a later change."
    )


def _what(item: Item) -> str:
    entry = item.entry
    if entry.family == "xtts":
        return "A base for XTTS v2 voices, which this console trains."
    parts = [f"RVC pair (G and D) at {entry.rate / 1000:g} kHz", _made(entry)]
    parts.append("with pitch" if entry.pitch else "without pitch: for speech, not for singing")
    if entry.embedder != "contentvec":
        parts.append(f"needs the embedder {clean(entry.embedder)}")
    by = f" By {clean(entry.author)}." if entry.author else ""
    return f"{', '.join(parts)}.{by}"


def _made(entry: Entry) -> str:
    if not entry.parent:
        return _KINDS[entry.kind]
    return f"{_KINDS[entry.kind] if entry.kind != 'unknown' else 'made'} of {clean(entry.parent)}"


def _knows(entry: Entry) -> Iterator[Fact]:
    names = [clean(LANGUAGES.get(code, code)) for code in entry.languages]
    told = [", ".join(names)] if names else []
    if entry.hours is not None:
        told.append(f"{number(entry.hours)} h of speech")
    if told:
        yield Fact("Heard", f"{'; '.join(told)}.")


def _use(item: Item, project: Project | None) -> Iterator[Fact]:
    if project is None:
        return
    label = f"For {clean(project.name)}"
    label = label if len(label) < _LABEL - 1 else "Project"
    if item.is_base:
        yield Fact(label, "It is what the project trains from.", "good")
    elif item.unfit:
        yield Fact(label, clean(item.unfit), "warn" if item.entry.family == "xtts" else "dim")
    else:
        yield Fact(label, "It fits; u takes it as the base.")


def _note(item: Item) -> Iterator[Fact]:
    if item.entry.note:
        yield Fact("Note", clean(item.entry.note))
    for line in item.stored.lineage if item.stored is not None else ():
        yield Fact("Made of", clean(line))


def _tensors(item: Item) -> Iterator[Fact]:
    """What its tensors said when it came."""
    from engine.pretrains.words import in_words

    for file in item.stored.files if item.stored is not None else ():
        yield Fact(f"{file.role} holds", clean(in_words(file.facts)))
        for problem in file.facts.problems:
            yield Fact("", clean(problem), "bad")


def _origin(item: Item) -> Iterator[Fact]:
    entry = item.entry
    licence = clean(entry.licence) or "not told; ask its author before you publish what you make"
    yield Fact(
        "Licence", f"{licence}{f', {clean(entry.licence_url)}' if entry.licence_url else ''}"
    )
    if page := page_of(entry):
        yield Fact("Page", clean(page))


def _installed(item: Item) -> Iterator[Fact]:
    for place in item.installed:
        yield Fact("Installed", f"{place.title}, {clean(short(place.folder))}", "good")


def _files(item: Item) -> Iterator[Fact]:
    found = item.files
    if not found:
        yield Fact("Files", "Their names are not known; they are found by what they hold.")
    for index, (path, bytes_, sha256) in enumerate(found):
        amount = size(bytes_) if bytes_ else "size not known"
        digest = f"sha256 {clean(sha256)[:_HASH_DIGITS]}…" if sha256 else "hash not known"
        yield Fact("" if index else "Files", f"{clean(path)}: {amount}, {digest}")
