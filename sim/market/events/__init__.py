"""What events do, by kind: a pure function where there is something to compute, and a thin applier.

In: the market, the body of an event, and the runs in which its week has come.
Out: the market changed, and the runs in which the event happened.
"""
