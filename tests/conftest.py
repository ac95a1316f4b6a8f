"""What every test shares: pictures are drawn without a screen, and no test depends on the clock."""

import os

from hypothesis import settings

os.environ["MPLBACKEND"] = "agg"
settings.register_profile("talentsim", deadline=None)
settings.load_profile("talentsim")
