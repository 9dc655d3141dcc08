"""Pure tensor functions: no state, no parameters, no files."""
