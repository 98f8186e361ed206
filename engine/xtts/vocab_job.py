"""Giving a project a larger vocabulary: learned from its text, written to a base of its own."""

from __future__ import annotations

import contextlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from engine import languages, lock
from engine.errors import InputError, RefusedError
from engine.events import Finished, Note, Progress, Stage, Warned
from engine.files import sweep
from engine.jobs import Job, job_folders, new_folder
from engine.project import Project, with_base
from engine.session import Session
from engine.text import clean
from engine.training import checkpoint
from engine.training.runs import RUN_FILE
from engine.xtts import base as bases
from engine.xtts import card, load, own_base, vocab_resize, vocab_texts, vocab_train
from engine.xtts.own_base import Origin
from engine.xtts.vocab import cleaned
from engine.xtts.vocab_train import Growth, Measure, Wish

KIND = "vocab"
# Fewer words teach the pieces of these sentences rather than those of the language.
_FEW_WORDS = 2_000
_MUCH_CHANGE = 0.02
_SHOWN = 5


@dataclass(frozen=True)
class Plan:
    """What a vocabulary is made of and from: `base` as project.toml names it, its folder, texts."""

    language: str
    base: str
    folder: Path
    texts: Sequence[str]
    wish: Wish
    dry_run: bool
    force: bool


@dataclass(frozen=True)
class Change:
    """What a growth does: the text before and after, and the words of old text split otherwise."""

    before: Measure
    after: Measure
    words: int
    changed: Mapping[str, int]

    @property
    def share(self) -> float:
        return sum(self.changed.values()) / max(1, self.words)


def session(
    project: Project,
    wish: Wish,
    *,
    language: str | None = None,
    files: Sequence[Path] = (),
    dry_run: bool = False,
    force: bool = False,
) -> Session:
    """A session that extends the vocabulary of a project's base, in `base/` inside the project.

    It begins with the base that the project had before its own, so a second one replaces the first.
    `force` replaces a vocabulary that a run has used. Raises InputError, RefusedError, BusyError.
    """
    code = languages.check(
        language or project.language, bases.vocab_of(project.base_reference), allow_new=True
    )
    if wish.size < 1 or wish.min_count < 1:
        raise InputError("--size and --min-count must be 1 or more.")
    with contextlib.ExitStack() as held:
        held.enter_context(lock.hold(project.folder, KIND))
        base, folder = _source(project)
        texts = vocab_texts.gathered(project, code, files)
        plan = Plan(code, base, folder, texts, wish, dry_run, force)
        job = Job(new_folder(project.jobs_dir, KIND), KIND)
        return Session(job, lambda job: extend(project, job, plan), held.pop_all())


def _source(project: Project) -> tuple[str, Path]:
    """The base to begin with, as project.toml named it, and its folder, whole."""
    name = project.base
    origin = own_base.read(_own(project))
    if Path(project.base_reference) == _own(project).absolute():
        if origin is None:
            raise InputError(
                f"{clean(str(_own(project)))} is a base that voicetui did not make, and is never "
                "written to. Rename the folder, and base in project.toml with it."
            )
        name = origin.base
    elif origin is None and _own(project).exists():
        raise InputError(
            f"{clean(str(_own(project)))} is in the way of the project's own base. Rename it."
        )
    folder = bases.locate(replace(project, base=name).base_reference)
    bases.check(folder)
    return name, folder


def _own(project: Project) -> Path:
    return project.folder / own_base.FOLDER


def extend(project: Project, job: Job, plan: Plan) -> Finished:
    """Learn the vocabulary, tell what it changes, and write the project's base with it."""
    stop = job.control.raise_if_stopped
    job.emit(Stage("cleaning texts", len(plan.texts), "texts"))
    tokenizer = load.tokenizer_of(plan.folder)
    texts = [cleaned(tokenizer, text, plan.language) for text in plan.texts]
    old = json.loads((plan.folder / "vocab.json").read_bytes())
    stop()

    job.emit(Stage("learning", plan.wish.size, "tokens at most"))

    def progress(made: int) -> None:
        job.emit(Progress("learning", made, plan.wish.size, "tokens"))
        stop()

    growth = vocab_train.grow(old, texts, plan.wish, progress)
    tag = f"[{plan.language}]"
    new = vocab_train.extended(old, growth, tag)
    job.emit(Stage("comparing"))
    change = _compare(job, tokenizer, old, new, texts)
    _tell(job, plan, texts, growth, change, new_tag=tag not in old["model"]["vocab"])
    stop()

    parts = vocab_train.parts_of(old, growth, tag)
    data = vocab_resize.vocab_bytes(new)
    origin = Origin(
        plan.base,
        card.licence_of(replace(project, base=plan.base).base_reference),
        plan.language,
        vocab_train.rows_of(new) - vocab_train.rows_of(old),
        vocab_resize.sha256(data),
    )
    state = _write(project, job, plan, new, parts, origin)
    return Finished(_summary(project, plan, growth, change, origin, state))


def _compare(
    job: Job, tokenizer: Any, old: dict[str, Any], new: dict[str, Any], texts: Sequence[str]
) -> Change:
    sentences, missing = vocab_texts.old_cleaned(tokenizer)
    if missing:
        job.emit(
            Note("not_compared", f"old text in {', '.join(missing)}: its package is not installed")
        )
    words, changed, examples = 0, {}, []
    for language, cleaned_texts in sentences.items():
        count, others = vocab_train.changed_words(old, new, cleaned_texts)
        words += count
        changed[language] = len(others)
        examples += others
    change = Change(
        vocab_train.measure(old, texts), vocab_train.measure(new, texts), words, changed
    )
    where = ", ".join(f"{language} {count}" for language, count in changed.items() if count)
    such = f" ({where}; such as {', '.join(examples[:_SHOWN])})" if where else ""
    job.emit(
        Note(
            "old_text",
            f"old text: {sum(changed.values()):,} of {words:,} words in {len(sentences)} languages "
            f"are split otherwise, {change.share:.1%}{such}",
        )
    )
    return change


def _tell(
    job: Job, plan: Plan, texts: Sequence[str], growth: Growth, change: Change, *, new_tag: bool
) -> None:
    before, after = change.before, change.after
    words = sum(len(text.split()) for text in texts)
    tag = f" and the tag [{plan.language}]" if new_tag else ""
    for code, text in (
        ("text", f"text: {len(texts):,} lines, {words:,} words in {plan.language}"),
        (
            "new_tokens",
            f"new tokens: {len(growth.characters):,} characters, {len(growth.pieces):,} pieces{tag}; "
            f"{len(growth.merges):,} merges",
        ),
        (
            "unknown_characters",
            f"unknown characters: {before.unknown_share:.1%} before, {after.unknown_share:.1%} after",
        ),
        (
            "tokens_per_character",
            f"tokens per character: {before.tokens_per_character:.2f} before, "
            f"{after.tokens_per_character:.2f} after",
        ),
    ):
        job.emit(Note(code, text))
    if growth.rare:
        listed = ", ".join(f"{c} ({n})" for c, n in list(growth.rare.items())[:_SHOWN])
        job.emit(
            Warned(
                "rare_characters",
                f"{len(growth.rare):,} characters of the text stay unknown: {listed}.",
                "Clips that hold one are not trained on.",
                "Write the texts without them, or take --min-count 1 or a larger --size.",
            )
        )
    if words < _FEW_WORDS:
        job.emit(
            Warned(
                "little_text",
                f"The pieces are learned from {words:,} words.",
                f"From fewer than {_FEW_WORDS:,} they fit these sentences more than the language.",
                "Give more text of the language with --text FILE; it needs no recordings.",
            )
        )
    others = sum(n for language, n in change.changed.items() if language != plan.language)
    if others > _MUCH_CHANGE * change.words:
        job.emit(
            Warned(
                "old_text_changes",
                f"{others / change.words:.1%} of the words in other languages are split otherwise.",
                "The model knew those words by other tokens, and may speak them worse.",
                "Where the old languages matter, take --new-characters-only or a smaller --size.",
            )
        )


def _write(
    project: Project,
    job: Job,
    plan: Plan,
    new: Mapping[str, Any],
    parts: Sequence[Sequence[int]],
    origin: Origin,
) -> str:
    """Write the base unless it is there already; what became of it, in a word or two."""
    final = _own(project)
    same = own_base.read(final) == origin and _vocab_hash(final) == origin.vocab_sha256
    if plan.dry_run:
        job.emit(Note("dry_run", "dry run: nothing was written"))
        return "not written"
    if not same:
        if not plan.force:
            _require_unused(project, final)
        job.emit(Stage("writing the base"))
        sweep(project.folder)
        vocab_resize.write(plan.folder, final, new, parts, origin, job.control.raise_if_stopped)
    with_base(project, own_base.FOLDER).save()
    return "unchanged" if same else "written"


def _vocab_hash(base: Path) -> str:
    path = base / "vocab.json"
    return vocab_resize.sha256(path.read_bytes()) if path.is_file() else ""


def _require_unused(project: Project, final: Path) -> None:
    """Raise RefusedError when a run stands on the base, or a person changed its vocabulary."""
    origin = own_base.read(final)
    if origin is None:
        return
    runs = [run.name for run in job_folders(project.runs_dir) if _stands_on_own_base(run)]
    if runs:
        raise RefusedError(
            f"Run {', '.join(runs)} was trained with the vocabulary in {clean(str(final))}, and "
            "could neither go on nor be exported with another. Replace it with --force."
        )
    if _vocab_hash(final) != origin.vocab_sha256:
        raise RefusedError(
            f"{clean(str(final / 'vocab.json'))} was changed since voicetui wrote it. "
            "Replace it with --force."
        )


def _stands_on_own_base(run: Path) -> bool:
    """Whether a run with checkpoints began with the project's own base."""
    if not checkpoint.folders(run):
        return False
    try:
        record = tomllib.loads((run / RUN_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return True  # nobody can tell any more
    return record.get("base") == own_base.FOLDER


def _summary(
    project: Project, plan: Plan, growth: Growth, change: Change, origin: Origin, state: str
) -> dict[str, Any]:
    return {
        "base": state,
        "folder": str(_own(project)),
        "language": plan.language,
        "new_tokens": origin.new_tokens,
        "new_characters": "".join(growth.characters),
        "merges": len(growth.merges),
        "text": {"before": asdict(change.before), "after": asdict(change.after)},
        "unknown_share": {
            "before": change.before.unknown_share,
            "after": change.after.unknown_share,
        },
        "tokens_per_character": {
            "before": change.before.tokens_per_character,
            "after": change.after.tokens_per_character,
        },
        "old_text": {"words": change.words, "changed": dict(change.changed)},
    }
