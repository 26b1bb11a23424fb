"""`python -m lab.cli` is `mixlab`."""

import sys

from lab.cli import main

sys.exit(main())
