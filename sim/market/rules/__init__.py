"""The rules of the market, one a file: a pure function on arrays, and a thin applier.

In: the market after the rules before (the order is that of `week.py`).
Out: the same market, changed by what the rule says and no more.
"""
