"""Filters without learning, for comparison and for machines that cannot run a network.

Each filter is a step: a frozen dataclass of its parameters that is called with an image.
`parse_steps` reads steps as a person writes them, `apply_steps` runs them, `describe_steps` says
what there is.
"""

from msvsr.classical.catalog import ALIASES, STEPS, Parameter, StepDescription, describe_steps
from msvsr.classical.contrast import Clahe, EqualizeHistogram
from msvsr.classical.edges import Canny, Sobel
from msvsr.classical.running import apply_steps, planned_size
from msvsr.classical.scaling import Scale
from msvsr.classical.sharpening import Laplacian, UnsharpMask
from msvsr.classical.smoothing import Bilateral, Gaussian, Mean, Median, NonLocalMeans
from msvsr.classical.step import Step
from msvsr.classical.syntax import parse_steps

__all__ = [
    "ALIASES",
    "STEPS",
    "Bilateral",
    "Canny",
    "Clahe",
    "EqualizeHistogram",
    "Gaussian",
    "Laplacian",
    "Mean",
    "Median",
    "NonLocalMeans",
    "Parameter",
    "Scale",
    "Sobel",
    "Step",
    "StepDescription",
    "UnsharpMask",
    "apply_steps",
    "describe_steps",
    "parse_steps",
    "planned_size",
]
