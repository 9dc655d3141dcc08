"""The command ``msvsr``.

Each command is a module with two functions: ``add_parser`` describes its arguments and imports
nothing heavy, ``run`` does the work.
"""

from msvsr.cli.main import main

__all__ = ["main"]
