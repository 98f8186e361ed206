"""The commands `voicetui pretrains …`."""

from __future__ import annotations

from collections.abc import Callable

from voicetui.commands.pretrains.check import check
from voicetui.commands.pretrains.get import get
from voicetui.commands.pretrains.importing import import_
from voicetui.commands.pretrains.inspect import inspect
from voicetui.commands.pretrains.install import install
from voicetui.commands.pretrains.listing import list_
from voicetui.commands.pretrains.merge import merge
from voicetui.commands.pretrains.remove import remove
from voicetui.commands.pretrains.showing import show_
from voicetui.commands.pretrains.uninstall import uninstall
from voicetui.commands.pretrains.use import use
from voicetui.commands.pretrains.verify import verify

HELP = """Find, fetch, judge and use models to train from.

A pretrain is a model that has heard many voices. Training that starts from one needs less time and
fewer recordings than training from nothing, and sounds better. XTTS voices start from an XTTS
base; the others here are for RVC, and come as two files: G makes the sound, D judges it in
training. Take the one with the sample rate of your training. Scratch ones were trained from
nothing, finetunes from another pretrain, often for a language or for singing; merges are mixed
from others and counted as the worst.

The road: list, show, get, then install for Applio or RVC, or use for a project of voicetui.
"""
EXAMPLES = """voicetui pretrains list --rate 40k --language ja
voicetui pretrains show titan --rate 40k
voicetui pretrains get titan-40k
voicetui pretrains install titan-40k --into ~/Applio"""

# Each with its examples, a line each.
COMMANDS: tuple[tuple[Callable[..., None], str], ...] = (
    (
        list_,
        "voicetui pretrains list\n"
        "voicetui pretrains list singers --missing\n"
        "voicetui pretrains list --language ru --kind finetune --json",
    ),
    (show_, "voicetui pretrains show titan-40k\nvoicetui pretrains show 'KLM 4.1' --rate 48k"),
    (
        get,
        "voicetui pretrains get titan-40k\n"
        "voicetui pretrains get titan --rate 40k --from G.pth --from D.pth\n"
        "voicetui pretrains get --from G_200.pth D_200.pth --name mine",
    ),
    (
        inspect,
        "voicetui pretrains inspect G_200.pth D_200.pth\n"
        "voicetui pretrains inspect ~/Downloads/xtts-base --json",
    ),
    (
        install,
        "voicetui pretrains install titan-40k\n"
        "voicetui pretrains install titan --rate 40k --into ~/Applio",
    ),
    (uninstall, "voicetui pretrains uninstall titan-40k --from ~/Applio"),
    (use, "voicetui pretrains use xtts-v2.0.3 anna"),
    (
        merge,
        "voicetui pretrains merge mine titan-40k:0.7 rin-e3-40k:0.3\n"
        "voicetui pretrains merge mine titan-40k:0.5 --difference rvc-v2-40k",
    ),
    (verify, "voicetui pretrains verify\nvoicetui pretrains verify titan-40k --online"),
    (remove, "voicetui pretrains remove titan-40k --yes"),
    (
        check,
        "voicetui pretrains check anna --kind scratch --batch-size 8\n"
        "voicetui pretrains check --sample spoken.wav",
    ),
    (
        import_,
        "voicetui pretrains import pretrains.json --dry-run\n"
        "voicetui pretrains import https://huggingface.co/IAHispano/Applio/raw/main/pretrains.json",
    ),
)
