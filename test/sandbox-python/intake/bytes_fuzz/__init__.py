"""Seeded mutations of small valid files of every kind, loaded in a child with limits: `python3 -m bytes_fuzz FILES SEED [--keep DIR]`."""
