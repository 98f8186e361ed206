"""What to do in Applio or RVC with an installed pretrain, and what does not suit them."""

from __future__ import annotations

from engine.pretrains.entry import rate_label
from engine.pretrains.installations import RVC_FOLDER, Installation
from engine.pretrains.store import Stored
from engine.text import clean

_RATES = (32_000, 40_000, 48_000)
# The rows of emb_g that RVC's configurations have; it compares all shapes strictly.
_RVC_SPEAKERS = 109
_USUAL_VOCODER = "HiFi-GAN"
_USUAL_EMBEDDER = "contentvec"


def next_steps(
    installation: Installation, pretrain: Stored, generator: str, discriminator: str
) -> tuple[str, ...]:
    """What to do in the tool, where the files have these names."""
    facts, rate = pretrain.file("G").facts, rate_label(_rate(pretrain))
    if installation.kind == "applio":
        return (
            f"In Applio's Training tab, choose {rate} as the sampling rate and tick Custom "
            "Pretrained.",
            "Press Refresh Custom Pretraineds.",
            f"Choose {generator} as Custom Pretrained G and {discriminator} as Custom Pretrained D.",
        )
    return (
        f"In RVC's Train tab, choose {rate} and version {facts.version or 'v2'} first: a change of "
        "these sets the two paths back.",
        f"Type as the path of the pretrained G: {RVC_FOLDER}/{generator}",
        f"Type as the path of the pretrained D: {RVC_FOLDER}/{discriminator}",
    )


def warnings(pretrain: Stored, installation: Installation) -> tuple[str, ...]:
    """Why the tool may not train from it, or not well."""
    facts, entry, tool = pretrain.file("G").facts, pretrain.entry, installation.title
    is_applio, rate = installation.kind == "applio", _rate(pretrain)
    told = [
        f"Its files have problems: {clean('; '.join(problems))}."
        for problems in _problems(pretrain)
    ]
    if rate not in _RATES:
        told.append(f"It is for {rate_label(rate)}; {tool} offers 32k, 40k and 48k.")
    if facts.version == "v1":
        told.append(
            "It is for RVC v1, which newer versions of Applio do not train."
            if is_applio
            else "It is for RVC v1: choose v1 in the Train tab."
        )
    if facts.pitch is False:
        told.append(
            "It has no pitch; newer versions of Applio train with pitch only and cannot load it."
            if is_applio
            else "It has no pitch: answer the Train tab's question about pitch guidance with no."
        )
    if not is_applio and facts.speakers not in (None, _RVC_SPEAKERS):
        told.append(
            f"It has {facts.speakers} speakers; RVC loads pretrains with {_RVC_SPEAKERS} only, and "
            "ends when it meets another number. Applio takes any."
        )
    if facts.vocoder not in ("", _USUAL_VOCODER):
        vocoder = clean(facts.vocoder)
        told.append(
            f"Its vocoder is {vocoder}: choose it in the Training tab."
            if is_applio
            else f"Its vocoder is {vocoder}, which RVC does not have. It cannot load it."
        )
    if entry.embedder != _USUAL_EMBEDDER:
        embedder = clean(entry.embedder)
        told.append(
            f"It was trained with the embedder {embedder}: choose that when you extract features."
            if is_applio
            else f"It was trained with the embedder {embedder}, and RVC has {_USUAL_EMBEDDER} only. "
            "Voices from it would not speak clearly."
        )
    return tuple(told)


def _problems(pretrain: Stored) -> list[tuple[str, ...]]:
    return [file.facts.problems for file in pretrain.files if file.facts.problems]


def _rate(pretrain: Stored) -> int:
    return pretrain.file("G").facts.rate or pretrain.entry.rate
