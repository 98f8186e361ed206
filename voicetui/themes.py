"""The console's themes. Meaning is never carried by hue alone, so each also works in 16 colours."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="voicetui-dark",
    primary="#5fafff",
    secondary="#87afd7",
    accent="#ffaf5f",
    success="#87d787",
    warning="#ffd75f",
    error="#ff5f5f",
    foreground="#dadada",
    background="#121212",
    surface="#1c1c1c",
    panel="#262626",
    variables={
        "muted": "#8a8a8a",
        "faint": "#585858",
        "cursor": "#005f87",
        "block-cursor-background": "#005f87",
    },
)
LIGHT = Theme(
    name="voicetui-light",
    primary="#005faf",
    secondary="#5f5faf",
    accent="#af5f00",
    success="#006f00",
    warning="#875f00",
    error="#af0000",
    foreground="#1c1c1c",
    background="#ffffff",
    surface="#f2f2f2",
    panel="#e4e4e4",
    dark=False,
    variables={
        "muted": "#626262",
        "faint": "#b2b2b2",
        "cursor": "#afd7ff",
        "block-cursor-background": "#afd7ff",
    },
)
CONTRAST = Theme(
    name="voicetui-contrast",
    primary="#00ffff",
    secondary="#ffffff",
    accent="#ffff00",
    success="#00ff00",
    warning="#ffff00",
    error="#ff5555",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    variables={
        "muted": "#c6c6c6",
        "faint": "#808080",
        "cursor": "#0000d7",
        "block-cursor-background": "#0000d7",
    },
)
THEMES = (DARK, LIGHT, CONTRAST)
