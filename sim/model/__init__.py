"""The market as a Mesa model: labs and researchers are agents, and classes of one's own take their place.

In: a scenario, a seed, the number of a run, classes of one's own.
Out: TalentMarket, Lab and Researcher; a run stepped here equals that run of an ensemble, bit for bit.
"""

from sim.model.agents import Lab, Researcher
from sim.model.market import TalentMarket

__all__ = ["Lab", "Researcher", "TalentMarket"]
