"""What touches the machine: files, locks, interrupts, processes, and the format of the recorded tables.

In: paths, bytes, columns, tasks.
Out: files that are there whole or not at all, and what was computed elsewhere.
"""
