"""The registered classes of video super-resolution."""
