"""``python -m msvsr`` is the command ``msvsr``."""

import os
import sys

from msvsr.cli import main

if __name__ == "__main__":
    status = main()
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        # One of several processes: taking torch's threads apart at the end of the interpreter can
        # abort a run that went well ("terminate called without an active exception").
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
