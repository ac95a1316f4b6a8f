"""What every test shares: pictures are drawn without a screen."""

import os

os.environ["MPLBACKEND"] = "agg"
