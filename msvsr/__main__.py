"""``python -m msvsr`` is the command ``msvsr``."""

import sys

from msvsr.cli import main

if __name__ == "__main__":
    sys.exit(main())
