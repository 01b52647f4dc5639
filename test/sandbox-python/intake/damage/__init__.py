"""Seeded damage to clean tables, and a strict judge of what the loader made of it.

    tables     clean tables of many shapes
    styles     how a table is written: delimiter, quoting, line ends, encoding, header or none
    document   the written file as pieces, each of which knows its rows and whether it was damaged
    kinds      every kind of damage by name; `of_fields`, `of_quotes`, `of_lines`, `of_characters`, `of_values`, `of_files`
    judge      loaded exactly, or the damaged line named?
    runner     files by number and seed, and their verdicts; `python3 -m damage FILES SEED [--keep DIR]`
"""
