"""The market: its state in columns, its rules and events, and the week (read `week.py` first).

In: a Scenario, a seed and the numbers of runs.
Out: recorded tables: series by lab and week, offers, spells, postings, events and transfers.
"""
