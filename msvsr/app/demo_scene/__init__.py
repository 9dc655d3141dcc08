"""The scenery of the demo clip, drawn with NumPy and OpenCV."""
