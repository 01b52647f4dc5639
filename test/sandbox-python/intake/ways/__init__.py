"""One tidy table, one thing about how it is written at a time (the idea of the Pollock benchmark, Vitagliano et al. 2023).

Nothing is damaged: every file holds all rows, and they must all come out. `python3 -m ways [SEED]` prints what does not.
"""
