"""Measurements of speed and memory, and the plain Mesa market that they are measured against."""
