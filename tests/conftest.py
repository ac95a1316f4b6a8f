"""What every test shares: pictures are drawn without a screen; no test depends on the clock or on luck."""

import os

from hypothesis import settings

os.environ["MPLBACKEND"] = "agg"
settings.register_profile("talentsim", deadline=None, derandomize=True)
settings.load_profile("talentsim")
