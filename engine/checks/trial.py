"""Operations that are tried in a process of their own, so that what hangs or dies is not ours.

`python -m engine.checks.trial NAME [ARGUMENT …]` does one and writes one JSON object to stdout.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any

_WIDTH = 256


def audio() -> dict[str, Any]:
    """The libraries that read and write sound here."""
    import av
    import soundfile

    return {
        "ffmpeg": av.ffmpeg_version_info,
        "pyav": av.__version__,
        "sndfile": soundfile.__libsndfile_version__,
    }


def torch(device: str) -> dict[str, Any]:
    """A product of two matrices on a device, compared with what it must be."""
    import torch as library

    left = library.eye(_WIDTH, device=device) * 2
    right = library.arange(float(_WIDTH), device=device).expand(_WIDTH, _WIDTH)
    product = left @ right
    if product.cpu()[-1, -1].item() != 2 * (_WIDTH - 1):
        raise RuntimeError("a product of two matrices came out wrong")
    answer: dict[str, Any] = {"torch": library.__version__, "cuda": library.version.cuda or ""}
    if device == "cuda":
        answer["name"] = library.cuda.get_device_name(0)
        answer["bf16"] = library.cuda.is_bf16_supported(including_emulation=False)
    else:
        answer["sees_cuda"] = library.cuda.is_available()
        answer["torchcodec"] = _torchcodec()
    return answer


def _torchcodec() -> str:
    """Which FFmpeg torchcodec loads, or why none."""
    try:
        torchcodec = importlib.import_module("torchcodec")
    except (ImportError, OSError, RuntimeError) as error:
        return "none: " + next(iter(str(error).strip().splitlines()), type(error).__name__)
    return f"FFmpeg {torchcodec.ffmpeg_major_version}"


def recognition(device: str, model: str) -> dict[str, Any]:
    """What ctranslate2 can do on a device; with the folder of a model it computes with it."""
    if device == "cuda":
        from engine.dataset.hearing.asr_worker import preload_cuda

        preload_cuda()
    import ctranslate2
    import numpy

    answer: dict[str, Any] = {
        "ctranslate2": ctranslate2.__version__,
        "cards": ctranslate2.get_cuda_device_count(),
        "types": sorted(ctranslate2.get_supported_compute_types(device)),
        "computed": False,
    }
    if model:
        compute = "float16" if "float16" in answer["types"] else "int8"
        whisper = ctranslate2.models.Whisper(model, device=device, compute_type=compute)
        sound = numpy.zeros((1, whisper.n_mels, 3000), numpy.float32)
        encoded = whisper.encode(ctranslate2.StorageView.from_array(sound), to_cpu=True)
        answer["computed"] = bool(numpy.isfinite(numpy.array(encoded)).all())
    return answer


_TRIALS: dict[str, Callable[..., dict[str, Any]]] = {
    "audio": audio,
    "torch": torch,
    "recognition": recognition,
}


def main() -> None:
    # What a library prints must not get into the answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    name, *arguments = sys.argv[1:]
    answers.write(json.dumps(_TRIALS[name](*arguments)))
    answers.close()


if __name__ == "__main__":
    main()
