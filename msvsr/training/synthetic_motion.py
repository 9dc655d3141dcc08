"""Pairs of images with known flow: two layers of a picture, each under an affine motion."""

from typing import NamedTuple

import torch
import torch.nn.functional as F

__all__ = ["MotionPairs", "synthetic_motion"]


class MotionPairs(NamedTuple):
    """Two images and the flow between them.

    Attributes:
        before: RGB in [0, 1], ``(n, 3, h, w)``.
        after: RGB in [0, 1], ``(n, 3, h, w)``.
        flow: From before to after in pixels, ``(n, 2, h, w)``.
    """

    before: torch.Tensor
    after: torch.Tensor
    flow: torch.Tensor


def synthetic_motion(
    images: torch.Tensor, max_motion: float, generator: torch.Generator
) -> MotionPairs:
    """Move the background of each image and, on top, an ellipse cut from another image.

    Args:
        images: RGB in [0, 1], ``(n, 3, h, w)``.
        max_motion: Largest translation in pixels and axis; small ones are drawn more often.
        generator: Source of randomness.

    Returns:
        The pairs. Where the motion leads out of the picture it shows the mirrored inside.
    """
    background = _Layer.draw(images, max_motion, generator)
    foreground = _Layer.draw(images.roll(1, dims=0), max_motion, generator)
    mask = _ellipses(images, generator)
    mask_after = foreground.move(mask)
    flow = torch.where(mask > 0.5, foreground.flow(), background.flow())
    before = torch.lerp(background.image, foreground.image, mask)
    after = torch.lerp(
        background.move(background.image), foreground.move(foreground.image), mask_after
    )
    return MotionPairs(before, after, flow)


class _Layer(NamedTuple):
    """An image with its motion ``f(p) = linear @ p + shift``, ``p`` in pixels from the centre."""

    image: torch.Tensor
    linear: torch.Tensor
    shift: torch.Tensor

    @classmethod
    def draw(cls, image: torch.Tensor, max_motion: float, generator: torch.Generator) -> "_Layer":
        n = image.shape[0]
        draws = torch.rand(n, 2, generator=generator) * 2 - 1
        shift = max_motion * draws * draws.abs()
        linear = 0.03 * torch.randn(n, 2, 2, generator=generator)
        return cls(image, linear, shift)

    def _points(self) -> torch.Tensor:
        """Pixel positions from the centre, ``(h * w, 2)``, x first."""
        height, width = self.image.shape[-2:]
        y, x = torch.meshgrid(
            torch.arange(height) - (height - 1) / 2,
            torch.arange(width) - (width - 1) / 2,
            indexing="ij",
        )
        return torch.stack((x, y), dim=-1).view(-1, 2)

    def flow(self) -> torch.Tensor:
        """The motion at each pixel, ``(n, 2, h, w)``."""
        motion = self._points() @ self.linear.mT + self.shift[:, None]  # (n, h * w, 2)
        return motion.mT.reshape(-1, 2, *self.image.shape[-2:])

    def move(self, image: torch.Tensor) -> torch.Tensor:
        """The image after the motion: it shows at ``p + f(p)`` what was at ``p``."""
        height, width = self.image.shape[-2:]
        inverse = torch.linalg.inv(torch.eye(2) + self.linear)
        sources = (self._points() - self.shift[:, None]) @ inverse.mT  # (n, h * w, 2)
        grid = 2 * sources / torch.tensor([max(width - 1, 1), max(height - 1, 1)])
        grid = grid.view(-1, height, width, 2)
        return F.grid_sample(
            image, grid, mode="bilinear", padding_mode="reflection", align_corners=True
        )


def _ellipses(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Soft masks ``(n, 1, h, w)``, one ellipse each; some lie outside and leave no foreground."""
    n, _, height, width = images.shape
    centre = torch.rand(n, 2, 1, 1, generator=generator) * 2.4 - 1.2
    radius = 0.2 + 0.6 * torch.rand(n, 2, 1, 1, generator=generator)
    x = torch.linspace(-1, 1, width).view(1, 1, width)
    y = torch.linspace(-1, 1, height).view(1, height, 1)
    distance = ((x - centre[:, 0]) / radius[:, 0]) ** 2 + ((y - centre[:, 1]) / radius[:, 1]) ** 2
    return torch.sigmoid((1 - distance) * 20).unsqueeze(1)
