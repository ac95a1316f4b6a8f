"""The browser page: Mesa's SolaraViz around one run, with our own inputs and pictures. No logic of its own.

In: an address, clicks and sliders.
Out: one run, watched week by week, and an ensemble beside it.
"""
