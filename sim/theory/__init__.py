"""Theory beside the market: closed forms, the mean-field twin, and the oracles that `talentsim verify` runs.

In: parameters of a limiting case, and the market run in that case.
Out: checks: theory, simulation, their distance and a verdict.
"""
