"""Weights files as trainers and exporters really write them: none may be refused."""

from __future__ import annotations

import sys
import types
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers_pretrains import (
    new_names,
    tensors_of,
    write_discriminator,
    write_generator,
    write_voice,
)

if TYPE_CHECKING:
    import torch

Tensors = Mapping[str, "torch.Tensor"]


@dataclass(frozen=True)
class Layout:
    """A file that `make` writes, giving the tensors that it must come back with; `facts` of it."""

    name: str
    make: Callable[[Path], Tensors]
    facts: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ".pth"


def layouts() -> list[Layout]:
    return [*_generators(), *_discriminators(), *_voices(), *_odd_pairs(), *_xtts()]


def _generators() -> Iterator[Layout]:
    for version, rates in (("v2", (32000, 40000, 48000)), ("v1", (32000, 40000, 48000))):
        for rate in rates:
            for pitch in (True, False):
                how = {"version": version, "rate": rate, "pitch": pitch}
                yield Layout(
                    f"G {version} {rate}{'' if pitch else ' without pitch'}",
                    lambda path, how=how: write_generator(path, half=how["pitch"], **how),
                    how | {"what": "generator", "speakers": 109, "vocoder": "HiFi-GAN"},
                )
    for dtype, name in (("float32", "fp32"), ("float16", "fp16"), ("bfloat16", "bf16")):
        yield Layout(
            f"G in {name}",
            lambda path, dtype=dtype: write_generator(path, dtype=dtype),
            {"precision": name},
        )
    for vocoder, rate in (("MRF HiFi-GAN", 40000), ("RefineGAN", 32000)):
        yield Layout(
            f"G of {vocoder}",
            lambda path, vocoder=vocoder, rate=rate: write_generator(
                path, rate, vocoder=vocoder, new_weight_norm=True
            ),
            {"vocoder": vocoder, "rate": 40000 if rate == 40000 else 0},
        )
    hows: dict[str, dict[str, Any]] = {
        "bare": {"wrapped": False},
        "with its optimizer": {"leftovers": True},
        "with its optimizer, old format": {"leftovers": True, "old_format": True},
        "old format": {"old_format": True},
        "old format, bare, fp16": {"old_format": True, "wrapped": False, "half": True},
        "new weight norm": {"new_weight_norm": True},
        "of one speaker": {"speakers": 1},
    }
    for name, how in hows.items():
        yield Layout(
            f"G {name}",
            lambda path, how=how: write_generator(path, 48000, **how),
            {"rate": 48000, "speakers": how.get("speakers", 109)},
        )
    yield Layout("G as safetensors", write_generator, {"rate": 40000}, ".safetensors")
    yield Layout("G of true size", lambda path: write_generator(path, full=True), {"tensors": 560})


def _discriminators() -> Iterator[Layout]:
    for version in ("v1", "v2"):
        yield Layout(
            f"D {version}",
            lambda path, version=version: write_discriminator(path, version=version),
            {"what": "discriminator", "version": version},
        )
    yield Layout(
        "D of RefineGAN",
        lambda path: write_discriminator(path, version="v3", new_weight_norm=True),
        {"what": "discriminator", "vocoder": "RefineGAN"},
    )
    yield Layout(
        "D with its optimizer",
        lambda path: write_discriminator(path, half=True, leftovers=True),
        {"iteration": 300},
    )
    yield Layout("D old format", lambda path: write_discriminator(path, old_format=True))
    yield Layout("D as safetensors", write_discriminator, suffix=".safetensors")


def _voices() -> Iterator[Layout]:
    hows: dict[str, dict[str, Any]] = {
        "RVC 32k": {"rate": 32000},
        "RVC 40k": {"rate": 40000},
        "RVC 48k": {"rate": 48000},
        "RVC v1 32k": {"rate": 32000, "version": "v1"},
        "RVC v1 48k without pitch": {"rate": 48000, "version": "v1", "pitch": False},
        "Applio 40k": {"maker": "applio"},
        "Applio 48k without pitch": {"maker": "applio", "rate": 48000, "pitch": False},
        "Applio RefineGAN": {"maker": "applio", "rate": 32000, "vocoder": "RefineGAN"},
    }
    for name, how in hows.items():
        yield Layout(
            f"voice, {name}",
            lambda path, how=how: write_voice(path, **how),
            {"what": "voice", "rate": how.get("rate", 40000), "iteration": 123},
        )


def _odd_pairs() -> Iterator[Layout]:
    """What differs in how tensors lie, or in what stands beside them."""
    import torch

    def saved(path: Path, **beside: Any) -> Tensors:
        state = write_generator(path)
        torch.save({"model": state, **beside}, path)
        return state

    def tied(path: Path) -> Tensors:
        state = write_generator(path)
        state["emb_h.weight"] = state["emb_g.weight"]
        torch.save({"model": state}, path)
        return state

    def views(path: Path) -> Tensors:
        state = tensors_of({"a": (8, 6)})
        state |= {"rows": state["a"][2:4], "turned": state["a"].T, "every other": state["a"][::2]}
        torch.save(state, path)
        return state

    def parameters(path: Path) -> Tensors:
        state = OrderedDict(write_generator(path))
        wrapped = {name: torch.nn.Parameter(tensor) for name, tensor in state.items()}
        torch.save({"model": wrapped, "learning_rate": 1e-4}, path)
        return state

    def module(path: Path) -> Tensors:
        state = torch.nn.Linear(3, 2).state_dict()
        torch.save(state, path)
        return state

    scaler = {"scale": 65536.0, "growth_factor": 2.0, "_growth_tracker": 7}
    yield Layout("beside: a scaler", lambda path: saved(path, scaler=scaler, iteration=2))
    yield Layout("beside: text and lists", lambda path: saved(path, info="x", steps=[1, (2, None)]))
    yield Layout(
        "beside: sizes, types and places",
        lambda path: saved(
            path, kind=torch.float16, size=torch.Size([2]), place=torch.device("cuda:0"), of={1, 2}
        ),
    )
    yield Layout("tied weights", tied)
    yield Layout("views", views)
    yield Layout("parameters", parameters)
    yield Layout("a module's state dict", module)


def _xtts() -> Iterator[Layout]:
    import torch

    def saved(path: Path, content: Any, tensors: Tensors) -> Tensors:
        torch.save(content, path)
        return tensors

    names = {
        "gpt.text_embedding.weight": (10, 4),
        "gpt.mel_embedding.weight": (9, 4),
        "gpt.gpt.h.0.ln_1.weight": (4,),
        "hifigan_decoder.waveform_decoder.ups.0.weight_v": (4, 2, 16),
        "mel_stats": (80,),
    }
    model = {"what": "xtts model"}
    state = tensors_of(names)
    trained = OrderedDict((f"xtts.{name}", tensor) for name, tensor in state.items())
    yield Layout("XTTS model", lambda path: _coqui_model(path, state), model)
    yield Layout("XTTS model, bare", lambda path: saved(path, state, state), model)
    yield Layout(
        "XTTS model of a trainer",
        lambda path: saved(
            path,
            {"config": {"a": 1}, "model": trained, "step": 5, "epoch": 1, "date": "x"},
            trained,
        ),
        model,
    )
    dvae = tensors_of({"encoder.0.0.weight": (4, 80, 3), "codebook.embed": (4, 16)})
    yield Layout("XTTS dvae", lambda path: saved(path, dvae, dvae), {"what": "xtts dvae"})
    stats = torch.rand(80, generator=torch.Generator().manual_seed(1))
    yield Layout(
        "XTTS mel stats",
        lambda path: saved(path, stats, {"tensor": stats}),
        {"what": "xtts mel stats"},
    )
    voice = tensors_of({"gpt_cond_latent": (1, 32, 8), "speaker_embedding": (1, 8, 1)})
    people = {name: dict(voice) for name in ("Claribel Dervla", "Abrahan Mack")}
    named = {f"{who}.{what}": part for who, parts in people.items() for what, part in parts.items()}
    yield Layout(
        "XTTS speakers", lambda path: saved(path, people, named), {"what": "xtts speakers"}
    )
    yield Layout("new weight norm, bare", lambda path: _new_norm(path))


def _new_norm(path: Path) -> Tensors:
    import torch

    state = new_names(write_discriminator(path))
    torch.save(state, path)
    return state


def _coqui_model(path: Path, state: Tensors) -> Tensors:
    """A model.pth with coqui's config classes pickled into it, as the published ones have."""
    import torch

    home = types.ModuleType("TTS.tts.configs.xtts_config")
    made = type("XttsConfig", (), {"__module__": home.__name__})
    home.XttsConfig = made  # type: ignore[attr-defined]
    config = made()
    config.model_args = {"gpt_layers": 30}
    before = sys.modules.get(home.__name__)
    sys.modules[home.__name__] = home
    try:
        torch.save({"config": config, "model": state}, path)
    finally:
        if before is None:
            del sys.modules[home.__name__]
        else:
            sys.modules[home.__name__] = before
    return state
