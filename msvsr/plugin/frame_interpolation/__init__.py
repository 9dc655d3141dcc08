"""The registered classes of video frame interpolation."""
