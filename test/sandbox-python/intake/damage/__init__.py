"""Seeded damage to clean tables, and a judge of what the loader made of it: `python3 -m damage FILES SEED [--keep DIR]`."""
