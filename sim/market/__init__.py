"""The rules of the market, one a file: a pure function on arrays, and a thin applier.

No rule imports another; `sim.week` puts them in order.
"""
