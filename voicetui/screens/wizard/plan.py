"""What a draft amounts to: its problems in the engine's words, the project, the command line."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

from engine import languages, profile, project, settings
from engine.errors import VoicetuiError
from engine.project import Project
from engine.settings import SETTINGS, Settings, Value
from engine.text import clean
from engine.xtts import base as bases
from voicetui.drafts import Draft
from voicetui.typed import path_of, short

STEPS = ("voice", "recordings", "base", "profile", "batch", "summary")
BATCH, ACCUMULATION, EPOCHS = "training.batch_size", "training.accumulation", "training.epochs"


def new_draft() -> Draft:
    """An empty draft of a new project."""
    return Draft(base=project.DEFAULT_BASE, profile=profile.DEFAULT)


def draft_of(made: Project) -> Draft:
    """The answers that an existing project holds."""
    return Draft(
        made.name,
        made.language,
        made.language if made.new_language else "",
        str(made.folder),
        own_folder=True,
        sources=tuple(os.path.abspath(path) for path in made.source_paths),
        base=made.base_reference,
        profile=made.profile,
        values={key: str(value) for key, value in made.values.items()},
    )


# --- paths ----------------------------------------------------------------------------------------


def folder_for(name: str) -> str:
    """The folder that a voice of this name gets unless another is given; "" without a name."""
    words = re.sub(r"[^\w.-]+", "-", name.strip().lower()).strip("-.")
    return short(Path.cwd() / words) if words else ""


# --- what is wrong --------------------------------------------------------------------------------


def _told(check: Callable[[], object]) -> str:
    try:
        check()
    except VoicetuiError as error:
        return str(error)
    except OSError as error:
        return f"{clean(error.strerror or type(error).__name__)}. Take another one."
    return ""


def name_problem(draft: Draft) -> str:
    return _told(lambda: project.check_name(draft.name))


def language_problem(draft: Draft) -> str:
    return _language_problem(draft, allow_new=_takes_new(draft))


def may_be_new(draft: Draft) -> bool:
    """Whether the language is refused only because the base does not know it."""
    return bool(language_problem(draft)) and not _language_problem(draft, allow_new=True)


def is_new(draft: Draft) -> bool:
    """Whether the base has to be taught the language, which a person asked for."""
    return _takes_new(draft) and bool(_language_problem(draft, allow_new=False))


def _takes_new(draft: Draft) -> bool:
    return bool(draft.new_language) and languages.normal(draft.language) == draft.new_language


def _language_problem(draft: Draft, *, allow_new: bool) -> str:
    vocab = bases.vocab_of(draft.base)
    return _told(lambda: languages.check(draft.language, vocab, allow_new=allow_new))


def folder_problem(draft: Draft, before: Project | None) -> str:
    if before is not None:
        return ""
    if not draft.folder.strip():
        return "Name the folder that the project is made in."
    return _told(lambda: project.check_free(path_of(draft.folder)))


def source_problem(draft: Draft, source: Path) -> str:
    """Why a recording or a folder cannot be a source."""
    return _told(lambda: project.check_source(path_of(draft.folder or "."), source))


def base_problem(draft: Draft, before: Project | None) -> str:
    if before is not None and draft.base == before.base_reference and not os.path.isdir(draft.base):
        return ""
    return _told(lambda: bases.portable(draft.base))


def profile_problem(draft: Draft) -> str:
    return _told(lambda: profile.load(draft.profile))


def value_problem(key: str, text: str) -> str:
    """Why a setting cannot be this."""
    return _told(lambda: settings.parse(SETTINGS[key], text.strip(), "Not allowed"))


def problems(draft: Draft, before: Project | None) -> dict[str, str]:
    """What keeps the draft from being a project: the first problem of each step that has one."""
    kept = () if before is None else tuple(map(os.path.abspath, before.source_paths))
    found = {
        "voice": name_problem(draft) or language_problem(draft) or folder_problem(draft, before),
        "recordings": next(
            (
                told
                for source in draft.sources
                if source not in kept and (told := source_problem(draft, Path(source)))
            ),
            "",
        ),
        "base": base_problem(draft, before),
        "profile": profile_problem(draft),
        "batch": next(
            (told for key, text in draft.values.items() if (told := value_problem(key, text))), ""
        ),
    }
    return {step: told for step, told in found.items() if told}


# --- settings -------------------------------------------------------------------------------------


def profile_settings(draft: Draft) -> Settings:
    """All settings as the profile has them; the defaults where there is no such profile."""
    found = profile.available().get(draft.profile)
    return settings.resolve(found.values if found else {})


def typed(value: Value) -> str:
    """A value as it is typed."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def value_in(all_settings: Settings, key: str) -> Value:
    """The value of a key."""
    section, _, name = key.partition(".")
    value: Value = getattr(getattr(all_settings, section), name)
    return value


def own_values(draft: Draft) -> dict[str, Value]:
    """What the draft sets otherwise than its profile; texts that are not allowed are left out."""
    usual = profile_settings(draft)
    found: dict[str, Value] = {}
    for key, text in draft.values.items():
        if key in SETTINGS and not value_problem(key, text):
            value = settings.parse(SETTINGS[key], text, key)
            if value != value_in(usual, key):
                found[key] = value
    return found


def all_settings(draft: Draft) -> Settings:
    """The settings that the project would have."""
    found = profile.available().get(draft.profile)
    return settings.resolve(found.values if found else {}, own_values(draft))


def with_profile(draft: Draft, name: str) -> Mapping[str, str]:
    """The values to keep when another profile is taken: those that neither profile speaks of.

    Batch and accumulation are one choice: they go together.
    """
    profiles = profile.available()
    spoken = {
        key for each in (draft.profile, name) if each in profiles for key in profiles[each].values
    }
    if spoken & {BATCH, ACCUMULATION}:
        spoken |= {BATCH, ACCUMULATION}
    return {key: text for key, text in draft.values.items() if key not in spoken}


# --- the project ----------------------------------------------------------------------------------


def save(draft: Draft, before: Project | None) -> Project:
    """Make the project, or write its changes. Raises what `engine.project` raises."""
    sources = [Path(source) for source in draft.sources]
    if before is None:
        return project.create(
            path_of(draft.folder),
            name=draft.name,
            language=draft.language,
            sources=sources,
            base=draft.base,
            profile_name=draft.profile,
            values=own_values(draft),
            allow_new_language=_takes_new(draft),
        )
    changed = project.changed(
        before,
        name=draft.name,
        language=draft.language,
        sources=sources,
        base=draft.base,
        profile_name=draft.profile,
        values=own_values(draft),
        allow_new_language=_takes_new(draft),
    )
    changed.save()
    return changed


def _shell_path(path: str | Path) -> str:
    """A path as a shell reads it, with ~ for the home."""
    text = short(path)
    if text == "~" or text.startswith("~/"):
        return "~" + (f"/{shlex.quote(text[2:])}" if text[2:] else "")
    return shlex.quote(text)


def command(draft: Draft) -> list[str]:
    """The command line that makes the same project, in pieces that belong on one line each."""
    quote = shlex.quote
    folder = path_of(draft.folder)
    pieces = [
        f"voicetui new {_shell_path(folder)}",
        f"--language {quote(languages.normal(draft.language))}",
    ]
    if is_new(draft):
        pieces.append("--allow-new-language")
    if draft.name.strip() != folder.name:
        pieces.append(f"--name {quote(draft.name.strip())}")
    if draft.base != project.DEFAULT_BASE:
        pieces.append(f"--base {quote(draft.base)}")
    if draft.profile != profile.DEFAULT:
        pieces.append(f"--profile {quote(draft.profile)}")
    pieces += [f"--source {_shell_path(source)}" for source in draft.sources]
    for key, value in own_values(draft).items():
        name = key.partition(".")[2]
        pieces.append(f"--set {quote(f'{name}={value}')}")
    return pieces
