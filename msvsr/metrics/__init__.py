"""Measures of image quality: pure functions on frames, and means that can be updated."""

from msvsr.metrics.images import Channels, FrameMean
from msvsr.metrics.lpips import Lpips, load_lpips, lpips
from msvsr.metrics.mse import mse
from msvsr.metrics.niqe import Niqe, niqe
from msvsr.metrics.perceptual import load_perceptual, perceptual_index
from msvsr.metrics.psnr import psnr
from msvsr.metrics.ssim import ssim
from msvsr.metrics.ssim_3d import ssim_3d
from msvsr.metrics.warping import WarpingError, warping_error

__all__ = [
    "Channels",
    "FrameMean",
    "Lpips",
    "Niqe",
    "WarpingError",
    "load_lpips",
    "load_perceptual",
    "lpips",
    "mse",
    "niqe",
    "perceptual_index",
    "psnr",
    "ssim",
    "ssim_3d",
    "warping_error",
]
