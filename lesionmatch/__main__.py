"""``python -m lesionmatch``."""

import sys

from lesionmatch.cli import main

sys.exit(main())
