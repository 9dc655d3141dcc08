"""Training of frame interpolation: first the flow, then the frames made with it."""
