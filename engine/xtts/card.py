"""The model card of an exported voice."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import DamagedError
from engine.languages import LANGUAGES
from engine.text import clean
from engine.xtts import base as bases
from engine.xtts import own_base

FILE_NAME = "voicetui.json"


def of(base: Path) -> dict[str, Any]:
    """What the card of a base says that is itself an export, or nothing. Raises DamagedError."""
    path = base / FILE_NAME
    if not path.is_file():
        return {}
    try:
        card = dict(json.loads(path.read_bytes()))
        epochs_of(_lineage(card))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(
            f"{clean(str(path))} is damaged ({clean(str(error))}). Copy the base again, or delete "
            "the file to go on without what it tells."
        ) from error
    return card


def licence_of(reference: str) -> str:
    """The licence that an export inherits from its base."""
    known = bases.known().get(reference)
    if known is not None:
        return f"{known.licence}, {known.licence_url}"
    if (origin := own_base.read(Path(reference))) is not None:
        return origin.licence
    own = of(Path(reference)).get("base_licence")
    return str(own) if own else "that of the base folder, which does not name one"


def base_name(reference: str) -> str:
    """The name of a base, without the folders above it, which are nobody else's business."""
    origin = None if reference in bases.known() else own_base.read(Path(reference))
    if origin is None:
        return Path(reference).name
    return f"{Path(origin.base).name} with {origin.new_tokens:,} new tokens for {origin.language}"


def companions(base: Path) -> list[str]:
    """What an export holds beside the six files of a base: its card and the files it lists."""
    own = of(base)
    listed = [name for name in own.get("files", {}) if name not in bases.FILES]
    return [name for name in (FILE_NAME, *listed) if (base / name).is_file()]


def lineage_of(base: Path) -> list[dict[str, Any]]:
    """The trainings on the way from the published base, oldest first.

    Each has `voice`, `language`, `epochs`, `step` and `dataset_hash`, as far as its card told.
    """
    own = of(base)
    return _lineage(own) if own else []


def _lineage(own: Mapping[str, Any]) -> list[dict[str, Any]]:
    # Cards of the first format named the voices only.
    earlier = [
        {"voice": each} if isinstance(each, str) else each for each in own.get("lineage", [])
    ]
    keys = ("voice", "language", "epochs", "step", "dataset_hash")
    return [*earlier, {key: own[key] for key in keys if key in own}]


def epochs_of(lineage: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The epochs that each voice of a lineage was trained, in the order of the voices."""
    epochs: dict[str, int] = {}
    for training in lineage:
        voice = training["voice"]
        epochs[voice] = epochs.get(voice, 0) + int(training.get("epochs", 0))
    return epochs


def _spoken(language: str) -> str:
    """The language that the example speaks."""
    return language if language in LANGUAGES else "en"


def _earlier_voices(losses: Sequence[Mapping[str, Any]]) -> list[str]:
    """How the voices of the base fared in this training."""
    if not losses:
        return []
    return [
        "## Earlier voices",
        "",
        "| voice | loss before | loss now | change |",
        "|---|---|---|---|",
        *(
            f"| {clean(e['voice']).replace('|', '/')} | {e['first']:.4f} | {e['loss']:.4f} "
            f"| {e['change']:+.4f} |"
            for e in losses
        ),
        "",
    ]


def as_markdown(facts: Mapping[str, Any]) -> str:
    """The card as people read it."""
    dataset = facts["dataset"]
    lines = [
        f"# {clean(facts['voice'])}",
        "",
        f"An XTTS v2 voice in {facts['language']}, fine-tuned with {facts['made_by']} "
        f"on {facts['made_at'][:10]}.",
        "",
        f"- Base: {clean(facts['base'])}",
        f"- Licence of the base, which holds for this model too: {clean(facts['base_licence'])}",
        f"- Trained: {facts['epochs']} epochs, step {facts['step']} ({facts['run']})",
    ]
    if facts["lineage"]:
        before = epochs_of(facts["lineage"])
        told = ", ".join(
            f"{voice} ({epochs} {'epoch' if epochs == 1 else 'epochs'})"
            for voice, epochs in before.items()
        )
        lines.append(f"- Voices trained before: {clean(told)}")
    if dataset:
        lines.append(
            f"- Dataset: {dataset['train_clips']} clips to train on "
            f"({dataset['train_seconds'] / 60:.1f} min), {dataset['eval_clips']} held out"
        )
    lines += [f"- Dataset hash: {facts['dataset_hash']}", "", "## How to use it", ""]
    if facts["language"] not in LANGUAGES:
        lines += [
            f"coqui and AllTalk load this folder and speak the languages that they know with it. "
            f"They have no text rules for {facts['language']} and refuse it; "
            "'voicetui say' speaks it.",
            "",
        ]
    lines += [
        "AllTalk: copy this folder into `models/xtts/`. coqui-tts:",
        "",
        "    from TTS.tts.configs.xtts_config import XttsConfig",
        "    from TTS.tts.models.xtts import Xtts",
        "    config = XttsConfig()",
        '    config.load_json("config.json")',
        "    model = Xtts.init_from_config(config)",
        '    model.load_checkpoint(config, checkpoint_dir=".", eval=True)',
        f"    voice = model.speaker_manager.speakers[{clean(facts['voice'])!r}]",
        f'    spoken = model.inference("Hello.", "{_spoken(facts["language"])}", *voice.values())',
        "    import soundfile",
        '    soundfile.write("hello.wav", spoken["wav"], 24_000)',
        "",
        "`wavs/` holds the clips that the voice was taken from, `held_out/` a few that no voice was "
        "trained on: they show a later training how much it forgets.",
        "",
        *_earlier_voices(facts["earlier_voices"]),
        "## Held-out losses",
        "",
        "| epoch | step | loss | text_ce | mel_ce |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {e['epoch']} | {e['step']} | {e['loss']:.4f} | {e['text_ce']:.4f} | {e['mel_ce']:.4f} |"
        for e in facts["evaluations"]
    ]
    lines += ["", "## Settings", "", "| setting | value |", "|---|---|"]
    lines += [f"| {key} | {clean(str(value))} |" for key, value in facts["settings"].items()]
    lines += ["", "## Files", "", "| file | SHA-256 |", "|---|---|"]
    lines += [f"| {name} | {digest} |" for name, digest in facts["files"].items()]
    return "\n".join(lines) + "\n"
