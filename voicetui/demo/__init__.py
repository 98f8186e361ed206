"""The demo's own recordings: plain English, spoken by a small open synthetic voice."""
