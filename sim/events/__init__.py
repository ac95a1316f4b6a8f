"""What events do, by kind: a pure function where there is something to compute, and a thin applier.

An applier takes the market, the event's section and the runs in which its time has come, and returns
those in which it happened; in the others it waits. `sim.market.shocks` knows when and calls them.
"""
