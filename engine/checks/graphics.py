"""Checks of the NVIDIA driver, the cards, and what computes on them."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator

from engine.checks.attempt import attempt
from engine.checks.finding import Finding, Surroundings, TrialError, gigabytes
from engine.dataset.hearing import asr_models
from engine.gpu_tiers import tier_of
from engine.hardware import Gpu
from engine.text import clean
from engine.training import memory

# The first import of torch on a slow disk takes a minute; a driver that hangs never answers.
_TRIAL_SECONDS = 120.0
_NO_GPU = "skipped: no NVIDIA GPU answers"
_NO_GPU_REMEDY = (
    "Training works on the CPU, but takes many times as long. If this machine has an NVIDIA card, "
    "see whether 'nvidia-smi' lists it; in a container, start it with 'docker run --gpus all'."
)


def driver(at: Surroundings) -> Iterator[Finding]:
    """The driver, and whether it is new enough for torch's CUDA."""
    found = at.graphics
    if found.is_stuck:
        yield Finding("failure", found.absent, "Restart the machine, then run 'nvidia-smi'.")
        return
    if not found.driver:
        yield Finding("warning", found.absent, _NO_GPU_REMEDY)
        return
    served = f", serves CUDA {found.cuda[0]}.{found.cuda[1]}" if found.cuda else ""
    seen = f"{found.driver}{served}"
    wanted = torch_cuda()
    if found.cuda and wanted and found.cuda[0] < wanted[0]:
        yield Finding(
            "failure",
            f"{seen}, but torch here is built for CUDA {wanted[0]}.{wanted[1]}",
            f"Update the NVIDIA driver to one that serves CUDA {wanted[0]}, or rent a machine "
            "that has one.",
        )
        return
    yield Finding("ok", seen)


def cards(at: Surroundings) -> Iterator[Finding]:
    """Every card with its tier and free memory."""
    found = at.graphics
    if found.driver and not found.gpus:
        yield Finding("warning", found.absent, _NO_GPU_REMEDY)
    for gpu in found.gpus:
        yield _card(gpu)
    if found.gpus and (chosen := at.environment.get("CUDA_VISIBLE_DEVICES")) is not None:
        yield Finding("ok", f"CUDA_VISIBLE_DEVICES={clean(chosen)}", name="visible GPUs")


def _card(gpu: Gpu) -> Finding:
    name = f"GPU {gpu.index}"
    if gpu.lost:
        return Finding(
            "failure",
            f"{gpu.name} does not answer any more",
            "Restart the machine; if it happens again, the card or its power supply is at fault.",
            name,
        )
    tier = tier_of(gpu.name)
    seen = f"{gpu.name}, {tier or 'not in the tier list'}"
    if gpu.memory_total is None or gpu.memory_free is None:
        return Finding("ok", f"{seen}; it does not tell its memory", name=name)
    seen += f", {gigabytes(gpu.memory_free)} of {gigabytes(gpu.memory_total)} free"
    if gpu.others_memory:
        seen += f", {gigabytes(gpu.others_memory)} held by other processes"
    least = memory.least_bytes("cuda", "bf16" if gpu.has_bf16 else "fp32")
    if gpu.memory_free < least <= gpu.memory_total:
        remedy = "End the other processes on it; 'nvidia-smi' lists them."
    elif gpu.memory_free < least:
        remedy = "Take a card with 12 GB or more, or train on the CPU with --set device=cpu."
    else:
        return Finding("ok", seen, name=name)
    seen += f"; training takes about {gigabytes(least)} at least"
    return Finding("warning", seen, remedy, name)


def operation(at: Surroundings) -> Iterator[Finding]:
    """One real operation of torch on the GPU."""
    if not at.graphics.gpus:
        yield Finding("ok", _NO_GPU)
        return
    try:
        answer = attempt("torch", "cuda", seconds=_TRIAL_SECONDS, check=at.check)
    except TrialError as error:
        yield Finding(
            "failure",
            f"torch cannot compute on the GPU: {error}",
            "See whether 'nvidia-smi' works; a card older than torch's wheels support, or a "
            "driver that is too old, is the common cause. --set device=cpu trains without it.",
        )
        return
    precision = "bf16 and fp32" if answer["bf16"] else "fp32"
    yield Finding(
        "ok", clean(f"a product of matrices on {answer['name']} came out right; {precision}")
    )


def recognition(at: Surroundings) -> Iterator[Finding]:
    """ctranslate2 on the GPU, with a speech recognition model when one is here."""
    if not at.graphics.gpus:
        yield Finding("ok", _NO_GPU)
        return
    model = next(iter(asr_models.on_this_machine().values()), None)
    try:
        answer = attempt(
            *("recognition", "cuda", str(model or "")), seconds=_TRIAL_SECONDS, check=at.check
        )
    except TrialError as error:
        yield Finding(
            "warning",
            f"speech recognition cannot use the GPU: {error}",
            "It runs on the CPU instead, slower. It needs CUDA 12 and cuDNN 9, which torch's "
            "wheels bring: run 'uv sync' in the clone, or install voicetui again.",
        )
        return
    if not answer["cards"]:
        yield Finding(
            "warning",
            "ctranslate2 sees no GPU",
            "Speech recognition runs on the CPU, slower. Check the driver with 'nvidia-smi'.",
        )
        return
    how = "computed with a Whisper model" if answer["computed"] else "no model here to try it with"
    yield Finding("ok", clean(f"{how}; number formats {', '.join(answer['types'])}"))


def torch_cuda() -> tuple[int, int] | None:
    """The CUDA that the installed torch is built for, from its metadata; None for a CPU build."""
    for requirement in importlib.metadata.requires("torch") or ():
        match = re.match(r"nvidia-cuda-runtime(?:-cu\d+)?==(\d+)\.(\d+)", requirement)
        if match:
            return int(match[1]), int(match[2])
    return None
