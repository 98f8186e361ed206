"""Data that ships with voicetui: training profiles and known base models, as TOML."""
