"""Tables in, tables out: curves, counts, summaries, comparisons, and why somebody moved or stayed.

In: recorded tables; to explain a run, the run lived again with watchers between the rules.
Out: curves, summaries, differences and biographies as plain data; nothing here changes the market.
"""
