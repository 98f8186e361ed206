"""coqui's GPTTrainer and Trainer on a case, in a process of their own: `… FOLDER CASE RESULT`.

They are as installed and set as coqui's fine-tuning demo sets them, except for what both sides get
alike (batch, rate, epochs, threads) and one worker that loads, as we have one, instead of eight on
two cores. RESULT gets the figures.
"""

from __future__ import annotations

import gc
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from bench_train_common import (  # noqa: E402
    BATCH,
    CASES,
    RATE,
    THREADS,
    Meter,
    base_of,
    bytes_of,
    clips,
    held_out_loss,
    peak_memory,
    timed,
)

from engine.xtts.batches import targets_of  # noqa: E402

# One DVAE code stands for so many samples.
_CODE_SAMPLES = 1024


def config_of(folder: Path, name: str) -> Any:
    """The configuration of coqui's demo (`TTS/demos/xtts_ft_demo/utils/gpt_train.py`)."""
    from TTS.tts.configs.xtts_config import XttsAudioConfig
    from TTS.tts.layers.xtts.trainer.gpt_trainer import GPTArgs, GPTTrainerConfig

    base = base_of(folder, name)
    sizes = json.loads((base / "config.json").read_bytes())["model_args"]
    arguments = GPTArgs(
        **{key: value for key, value in sizes.items() if key.startswith("gpt_") or "dim" in key}
    )
    arguments.max_conditioning_length = 132_300
    arguments.min_conditioning_length = 66_150
    arguments.max_wav_length = 255_995
    arguments.max_text_length = 200
    arguments.mel_norm_file = str(base / "mel_stats.pth")
    arguments.dvae_checkpoint = str(base / "dvae.pth")
    arguments.xtts_checkpoint = str(base / "model.pth")
    arguments.tokenizer_file = str(base / "vocab.json")
    arguments.gpt_use_masking_gt_prompt_approach = True
    arguments.gpt_use_perceiver_resampler = True
    return GPTTrainerConfig(
        epochs=CASES[name].epochs,
        output_path=str(folder / "coqui"),
        model_args=arguments,
        run_name="bench",
        dashboard_logger="tensorboard",
        audio=XttsAudioConfig(
            sample_rate=22_050, dvae_sample_rate=22_050, output_sample_rate=24_000
        ),
        batch_size=BATCH,
        batch_group_size=48,
        eval_batch_size=BATCH,
        num_loader_workers=1,
        eval_split_max_size=256,
        print_step=50,
        plot_step=100,
        log_model_step=100,
        save_step=1000,
        save_n_checkpoints=1,
        save_checkpoints=True,
        print_eval=False,
        optimizer="AdamW",
        optimizer_wd_only_on_weights=True,
        optimizer_params={"betas": [0.9, 0.96], "eps": 1e-8, "weight_decay": 1e-2},
        lr=RATE,
        lr_scheduler="MultiStepLR",
        lr_scheduler_params={
            "milestones": [50000 * 18, 150000 * 18, 300000 * 18],
            "gamma": 0.5,
            "last_epoch": -1,
        },
        test_sentences=[],
    )


def trainer_of(folder: Path, name: str, meter: Meter, resumed: str = "") -> Any:
    """coqui's trainer of a case; `resumed` is the folder of a run to go on with."""
    import torch
    from trainer import Trainer, TrainerArgs
    from TTS.tts.layers.xtts.trainer.gpt_trainer import GPTTrainer

    config = config_of(folder, name)
    model = GPTTrainer(config)
    samples: dict[str, list[dict[str, str]]] = {"train": [], "eval": []}
    for clip in clips(name):
        samples[clip.split].append(
            {"text": clip.text, "audio_file": str(folder / clip.wav), "language": clip.language}
        )
    torch.set_num_threads(THREADS)
    return Trainer(
        TrainerArgs(continue_path=resumed),
        config,
        output_path=str(folder / "coqui"),
        model=model,
        train_samples=samples["train"],
        eval_samples=samples["eval"],
        parse_command_line_args=False,
        callbacks={"on_train_step_end": lambda it: meter.step_ended(it.epochs_done, BATCH)},
    )


def count_useful(gpt: Any, meter: Meter) -> None:
    """Count what the clips of each batch hold, as coqui's GPT is given them."""

    def count(module: Any, arguments: tuple[Any, ...]) -> None:
        if module.training:
            _, texts, _, samples, *_ = arguments
            for text, length in zip(texts.tolist(), samples.tolist(), strict=True):
                codes = -(-length // _CODE_SAMPLES)
                meter.counted(1, sum(targets_of(text, codes)))

    gpt.register_forward_pre_hook(count)


def trained(folder: Path, name: str) -> tuple[dict[str, float], Path]:
    """The figures of a training, and its folder."""
    meter, best = Meter(), list[float]()
    trainer = trainer_of(folder, name, meter)
    gpt = trainer.model.xtts.gpt
    meter.watch(gpt)
    count_useful(gpt, meter)
    save_best = trainer.save_best_model
    trainer.save_best_model = lambda: best.append(timed(save_best))
    trainer.fit()
    figures = {
        "clips_per_second": meter.clips_per_second,
        "padding": meter.padding,
        "memory": peak_memory(),
        "loss": held_out_loss(gpt, folder, name),
        "save_seconds": timed(trainer.save_checkpoint),
        "best_seconds": best[-1],
        "save_bytes": bytes_of(trainer.output_path, "checkpoint_*.pth"),
        "best_bytes": bytes_of(trainer.output_path, "best_model*.pth"),
    }
    return figures, trainer.output_path


def resume_seconds(folder: Path, name: str, run: Path) -> float:
    """What it takes to stand where the newest checkpoint stands."""
    begun = time.perf_counter()
    # `fit` calls the second before its first step.
    trainer_of(folder, name, Meter(), str(run))._restore_best_loss()
    return time.perf_counter() - begun


def main() -> None:
    folder, name, result = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    shutil.rmtree(folder / "coqui", ignore_errors=True)
    figures, run = trained(folder, name)
    gc.collect()
    figures["resume_seconds"] = resume_seconds(folder, name, run)
    result.write_text(json.dumps(figures), "utf-8")


if __name__ == "__main__":
    main()
