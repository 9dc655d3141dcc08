"""Measures of image quality: pure functions on frames, and a mean that can be updated."""

from msvsr.metrics.images import Channels, FrameMean
from msvsr.metrics.psnr import psnr
from msvsr.metrics.ssim import ssim

__all__ = ["Channels", "FrameMean", "psnr", "ssim"]
