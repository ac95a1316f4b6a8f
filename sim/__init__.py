"""Simulate the market for AI talent: labs, offers, counter-offers, moves and retention."""

__version__ = "0.1.0"
