"""Pretrains: the catalogue of bases to train from; fetching, judging, installing and merging them."""
