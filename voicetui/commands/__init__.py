"""The commands: each calls the engine and shows what comes back.

Engine modules are imported inside the commands, so that `--help` and the quick ones stay quick.
"""
