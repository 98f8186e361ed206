"""Batches that are made while the network works on the ones before."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.training.task import Micro, Task


def prefetched(
    task: Task, micros: Sequence[Micro], epoch: int | None
) -> Generator[tuple[Any, float], None, None]:
    """Each batch with the seconds it was waited for; the next one is made meanwhile.

    `epoch` is None for the held-out clips. Close the generator when batches are left over.
    """
    with ThreadPoolExecutor(1, "voicetui-batches") as pool:
        following = [pool.submit(task.batch, m, epoch) for m in micros[:1]]
        for index in range(len(micros)):
            begun = time.perf_counter()
            batch = following.pop().result()
            waited = time.perf_counter() - begun
            if index + 1 < len(micros):
                following.append(pool.submit(task.batch, micros[index + 1], epoch))
            yield batch, waited
