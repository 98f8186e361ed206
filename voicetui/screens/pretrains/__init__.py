"""The screen of models to train from."""
