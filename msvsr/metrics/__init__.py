"""Measures of image quality: pure functions on frames, and means that can be updated."""

from msvsr.metrics.images import Channels, FrameMean
from msvsr.metrics.niqe import Niqe, niqe
from msvsr.metrics.psnr import psnr
from msvsr.metrics.ssim import ssim

__all__ = ["Channels", "FrameMean", "Niqe", "niqe", "psnr", "ssim"]
