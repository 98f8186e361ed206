"""What each lever of our training gives, in a process of its own: `… FOLDER CASE RESULT [PASSES]`.

One network takes batches in turn: as we train, and with one lever off (or on, for those that are off
by default), so that all share what the machine does at that time. Levers that choose the batches take
a whole epoch in each pass; all others take one batch in each, beside the same one as we train. RESULT
gets the speed beside ours as the median of the passes, and the peak memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from bench_train_common import BATCH, RATE, Meter, base_of  # noqa: E402
from bench_train_ours import loop_of  # noqa: E402

from engine.training.precision import Place  # noqa: E402
from engine.training.prefetch import prefetched  # noqa: E402
from engine.training.scaling import FIRST_SCALE  # noqa: E402
from engine.training.task import Micro  # noqa: E402
from engine.xtts import batches, load, mel, model, task  # noqa: E402

WHOLE = "as we train"
Context = contextlib.AbstractContextManager[Any]


class Taken(NamedTuple):
    """What a step took: clips, seconds, and the peak memory in bytes."""

    clips: int
    seconds: float
    memory: int


@contextlib.contextmanager
def swapped(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextlib.contextmanager
def together(*contexts: Context) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context)
        yield


class Bench:
    """The levers of one loop."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.base = folder, base_of(folder, name)
        self.loop = loop_of(folder, name, folder / "levers", Meter(), [])
        self.task = self.loop.task
        self.gpt = self.task.model
        # coqui's own parts, without our patches.
        self.plain = load.gpt_of(self.base)

    def orders(self) -> dict[str, Sequence[Micro]]:
        """The batches of an epoch, as we choose them first."""
        bucketed = self.task.epoch(0)
        whole = sum(sum(m.targets.values()) + 32 * len(m.clips) for m in bucketed)
        budget = BATCH * whole // sum(len(m.clips) for m in bucketed)
        with swapped(self.task, "_budget", budget):
            by_places = self.task.epoch(0)
        return {
            WHOLE: bucketed,
            "without buckets": self.shuffled(),
            f"with a budget of {budget} places": by_places,
        }

    def levers(self) -> dict[str, Callable[[], Context]]:
        """The contexts in which batches are taken."""
        off = {
            "without the cache of codes": self.no_cache,
            "without the fused GELU": self.slow_gelu,
            "without SDPA in the conditioning": self.slow_conditioning,
            "heads at padding too": self.all_heads,
            "with mask and KV cache": self.masked,
        }
        return off | {
            "all five of these": lambda: together(*(context() for context in off.values())),
            "with bf16": self.bf16,
            "with gradient checkpointing": self.checkpointing,
        }

    def shuffled(self) -> list[Micro]:
        """The clips of the epoch in batches as chance gives them."""
        clips = [clip for micro in self.task.epoch(0) for clip in micro.clips]
        order = batches.generator(0, 0, "bench").permutation(len(clips)).tolist()
        cuts = range(0, len(clips), BATCH)
        return [self.task.micro([clips[i] for i in order[at : at + BATCH]], 0) for at in cuts]

    # --- what the levers do ---------------------------------------------------------------------

    @contextlib.contextmanager
    def no_cache(self) -> Iterator[None]:
        """Read the wavs and make their codes for each batch, padded to the longest, as coqui does."""
        dvae, spectrogram = load.dvae_of(self.base), mel.codes_mel(load.mel_stats_of(self.base))
        make = self.task.batch

        def batch(micro: Micro, epoch: int | None) -> Any:
            names = self.task.clip_names(micro)
            sounds = [
                soundfile.read(self.folder / f"wavs/{n}.wav", dtype="float32")[0] for n in names
            ]
            padded = np.zeros((len(sounds), max(map(len, sounds))), np.float32)
            for row, sound in enumerate(sounds):
                padded[row, : len(sound)] = sound
            with torch.no_grad():
                dvae.get_codebook_indices(spectrogram(torch.from_numpy(padded)))
            return make(micro, epoch)

        with swapped(self.task, "batch", batch):
            yield

    def slow_gelu(self) -> Context:
        act = self.plain.gpt.h[0].mlp.act
        return together(*(swapped(block.mlp, "act", act) for block in self.gpt.gpt.h))

    def slow_conditioning(self) -> Context:
        slow = self.plain.conditioning_encoder.attn
        fused = self.gpt.conditioning_encoder.attn
        return together(
            *(swapped(a, "attention", b.attention) for a, b in zip(fused, slow, strict=True))
        )

    def all_heads(self) -> Context:
        return swapped(task, "loss_sums", _loss_sums_at_padding)

    def masked(self) -> Context:
        return together(
            swapped(model, "hidden_states", _hidden_states_with_mask),
            swapped(self.gpt.gpt.config, "use_cache", True),
        )

    def bf16(self) -> Context:
        place = Place(torch.device("cpu"), "bf16")
        return swapped(self.loop, "stepper", dataclasses.replace(self.loop.stepper, place=place))

    @contextlib.contextmanager
    def checkpointing(self) -> Iterator[None]:
        model.use_checkpointing(self.gpt)
        yield
        for module in (self.gpt.gpt, *self.gpt.gpt.h):
            module.gradient_checkpointing = False

    # --- measuring ------------------------------------------------------------------------------

    def step(self, micro: Micro, context: Callable[[], Context] = contextlib.nullcontext) -> Taken:
        with context():
            _forget_peak()
            begun = time.perf_counter()
            with contextlib.closing(prefetched(self.task, [micro], 0)) as made:
                self.loop.stepper.step(
                    self.loop.trained.optimizer, RATE, [micro], made, FIRST_SCALE
                )
            return Taken(len(micro.clips), time.perf_counter() - begun, _peak())

    def measured(self, passes: int) -> dict[str, dict[str, float]]:
        """The speed of each lever beside ours, and its memory."""
        orders, levers = self.orders(), self.levers()
        self.step(orders[WHOLE][0])
        speeds: dict[str, list[float]] = {name: [] for name in (*orders, *levers)}
        memory: dict[str, int] = dict.fromkeys(speeds, 0)
        for number in range(passes):
            epochs: dict[str, list[Taken]] = {name: [] for name in orders}
            for place in range(max(map(len, orders.values()))):
                for name, micros in orders.items():
                    epochs[name] += [self.step(micro) for micro in micros[place : place + 1]]
                if place != number % len(orders[WHOLE]):
                    continue
                for name, context in levers.items():
                    taken = self.step(orders[WHOLE][place], context)
                    speeds[name].append(epochs[WHOLE][place].seconds / taken.seconds)
                    memory[name] = max(memory[name], taken.memory)
            for name, steps in epochs.items():
                speeds[name].append(_rate(steps) / _rate(epochs[WHOLE]))
                memory[name] = max(memory[name], *(taken.memory for taken in steps))
        return {
            name: {"speed": statistics.median(found), "memory": memory[name]}
            for name, found in speeds.items()
        }


def _rate(steps: Sequence[Taken]) -> float:
    """Clips a second."""
    return sum(taken.clips for taken in steps) / sum(taken.seconds for taken in steps)


def _loss_sums_at_padding(gpt: Any, batch: model.Batch, smoothing: float = 0.0) -> Any:
    """The losses with heads that run at as many places as the padded texts and codes have."""
    hidden = model.hidden_states(gpt, model.prompt_of(gpt, batch.conditioning), batch)
    losses = []
    for head, places, targets, padded in (
        (gpt.text_head, batch.text_positions, batch.text_targets, batch.text.numel()),
        (gpt.mel_head, batch.mel_positions, batch.mel_targets, batch.codes.numel()),
    ):
        spare = padded - len(places)
        logits = head(hidden[F.pad(places, (0, spare))]).float()
        losses.append(
            F.cross_entropy(logits, F.pad(targets, (0, spare), value=-100), reduction="sum")
        )
    return tuple(losses)


def _hidden_states_with_mask(gpt: Any, prompt: torch.Tensor, batch: model.Batch) -> torch.Tensor:
    """As `model.hidden_states`, with a mask over the padding and the keys and values kept."""
    text = gpt.text_embedding(batch.text) + gpt.text_pos_embedding(batch.text)
    codes = gpt.mel_embedding(batch.codes) + gpt.mel_pos_embedding(batch.codes)
    pool = torch.cat([prompt, text, codes], dim=1)
    rows = torch.arange(len(pool))[:, None]
    mask = batch.order != 0
    mask[:, 0] = True
    output = gpt.gpt(inputs_embeds=pool[rows, batch.order], attention_mask=mask, use_cache=True)
    hidden: torch.Tensor = gpt.final_norm(output.last_hidden_state)
    return hidden.flatten(0, 1)


def _forget_peak() -> None:
    """Give freed memory back to Linux and let it count the peak anew."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    assert found is not None
    return 1024 * int(found[1])


def main() -> None:
    folder, name, result = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    passes = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    result.write_text(json.dumps(Bench(folder, name).measured(passes)), "utf-8")


if __name__ == "__main__":
    main()
