"""The model card of an exported voice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.text import clean
from engine.xtts import base as bases

FILE_NAME = "voicetui.json"


def _own_card(base: Path) -> dict[str, Any]:
    """The card of a base that is itself an export, or nothing."""
    path = base / FILE_NAME
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}


def licence_of(reference: str) -> str:
    """The licence that an export inherits from its base."""
    known = bases.known().get(reference)
    if known is not None:
        return f"{known.licence}, {known.licence_url}"
    own = _own_card(Path(reference)).get("base_licence")
    return str(own) if own else "that of the base folder, which does not name one"


def lineage_of(base: Path) -> list[str]:
    """The voices that were trained before this one on the way from the published base."""
    own = _own_card(base)
    return [*own.get("lineage", []), own["voice"]] if own else []


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
        lines.append(f"- Voices trained before: {clean(', '.join(facts['lineage']))}")
    if dataset:
        lines.append(
            f"- Dataset: {dataset['train_clips']} clips to train on "
            f"({dataset['train_seconds'] / 60:.1f} min), {dataset['eval_clips']} held out"
        )
    lines += [
        f"- Dataset hash: {facts['dataset_hash']}",
        "",
        "## How to use it",
        "",
        "AllTalk: copy this folder into `models/xtts/`. coqui-tts:",
        "",
        "    from TTS.tts.configs.xtts_config import XttsConfig",
        "    from TTS.tts.models.xtts import Xtts",
        "    config = XttsConfig()",
        '    config.load_json("config.json")',
        "    model = Xtts.init_from_config(config)",
        '    model.load_checkpoint(config, checkpoint_dir=".", eval=True)',
        f"    voice = model.speaker_manager.speakers[{clean(facts['voice'])!r}]",
        f'    spoken = model.inference("Hello.", "{facts["language"]}", *voice.values())',
        "    import soundfile",
        '    soundfile.write("hello.wav", spoken["wav"], 24_000)',
        "",
        "`wavs/` holds the clips that the voice was taken from.",
        "",
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
