"""Work that survives: runs, comparisons and sweeps, chunk by chunk, and the folders in which they are kept.

In: what is asked for: scenarios, seed, runs, design.
Out: results in memory, and folders that are there whole or can be resumed.
"""
