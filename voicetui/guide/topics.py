"""The topics of help in their order; keys and settings are made from their tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.settings import SECTIONS, SETTINGS, Setting
from voicetui import guide, keys
from voicetui.guide import Block, Topic
from voicetui.keys import Key

# The screens with a page of their own, in the order in which a voice meets them.
SCREENS = ("home", "setup", "dataset", "dashboard", "checkpoints", "pretrains", "doctor")
# The texts by file, and what the list of topics calls them.
TEXTS = {
    "numbers": "numbers",
    "troubleshooting": "trouble",
    "flow": "road",
    "minima": "minima",
    "recordings": "audio",
    "pretrains": "models",
}
_GAP = Block("gap")


def topics(scope: str, keymap: Mapping[str, str]) -> tuple[Topic, ...]:
    """All topics for the screen with this scope of keys."""
    texts = [Topic(name, *_text(file)) for file, name in TEXTS.items()]
    return (keys_topic(scope, keymap), screens_topic(scope), *texts, settings_topic())


def _text(name: str) -> tuple[str, tuple[Block, ...]]:
    read = guide.topic(name)
    return read.title, read.blocks


def keys_topic(scope: str, keymap: Mapping[str, str]) -> Topic:
    """The keys that work on a screen, in a person's own keys."""
    rows = keys.remapped(keymap)
    blocks: list[Block] = []
    for part in (scope, keys.LIST, keys.EVERYWHERE, "help"):
        own = [row for row in rows if row.scope == part]
        if own:
            blocks += _key_blocks(keys.title(part), own)
    blocks.append(
        Block(
            "text",
            "Any key can be changed: `voicetui keys` lists their names, and the README tells how.",
        )
    )
    return Topic("keys", f"Keys: {scope}", tuple(blocks))


def _key_blocks(title: str, rows: Sequence[Key]) -> Iterator[Block]:
    yield Block("heading", title)
    for row in rows:
        yield Block("labelled", row.help, keys.all_names(row.keys))
    yield _GAP


def screens_topic(scope: str) -> Topic:
    """What each screen is for, the present one first."""
    order = sorted(SCREENS, key=lambda name: name != scope)
    blocks: list[Block] = []
    for name in order:
        page = guide.topic(f"screen-{name}")
        blocks += [Block("heading", page.title), *page.blocks]
    return Topic("screens", "What each screen is for", tuple(blocks))


def settings_topic() -> Topic:
    """Every setting with its default and range."""
    blocks = [
        Block(
            "text",
            "Setup shows each of these. On the command line `--set KEY=VALUE` gives one to "
            "`voicetui new`, or for one time to `voicetui prepare` and `voicetui train`.",
        ),
        _GAP,
    ]
    for section in SECTIONS:
        blocks.append(Block("heading", f"[{section}] of project.toml"))
        for row in (row for row in SETTINGS.values() if row.section == section):
            blocks += [Block("labelled", row.help, row.name), Block("labelled", _range(row))]
        blocks.append(_GAP)
    return Topic("settings", "Every setting, its default and what it may be", tuple(blocks))


def _range(row: Setting) -> str:
    default = f"{row.default:g}" if isinstance(row.default, float) else str(row.default)
    return f"{default} unless set; {row.allowed}"
