"""The review of a dataset: its list of clips, one clip in detail, and what is done to them."""
