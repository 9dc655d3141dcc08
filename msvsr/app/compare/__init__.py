"""Comparison of clips: a sliding divider, side by side, a contact sheet, a page."""

from msvsr.app.compare.options import (
    ClipScores,
    CompareOptions,
    ComparisonReport,
    SliderOptions,
)
from msvsr.app.compare.run import compare_clips

__all__ = ["ClipScores", "CompareOptions", "ComparisonReport", "SliderOptions", "compare_clips"]
