"""Whole jobs, from an input to an output, as the command line and the plugin run them."""
