"""``python -m msvsr.compat.inference_realbasicvsr`` is ``msvsr inference-realbasicvsr``.

It takes the arguments of ``inference_realbasicvsr.py`` of the original project.

Source:
    Arguments and defaults: ckkelvinchan/RealBasicVSR, Apache-2.0.
"""

import runpy
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command with the arguments of the process, and end the process."""
    sys.argv = ["msvsr", "inference-realbasicvsr", *sys.argv[1:]]
    runpy.run_module("msvsr", run_name="__main__")


if __name__ == "__main__":
    main()
