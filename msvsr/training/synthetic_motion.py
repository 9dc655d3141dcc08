"""Scenes with known flow: layers of pictures, each under an affine motion of constant speed."""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F

__all__ = ["MotionScene", "synthetic_motion"]

Sampling = Literal["bilinear", "bicubic"]


class MotionScene(NamedTuple):
    """Frames of a moving scene and the flow from the first instant to the last.

    Attributes:
        frames: One per instant that was asked for, RGB in [0, 1], ``(n, 3, h, w)`` each.
        flow: From time 0 to time 1 in pixels, ``(n, 2, h, w)``.
    """

    frames: tuple[torch.Tensor, ...]
    flow: torch.Tensor


def synthetic_motion(
    images: torch.Tensor,
    max_motion: float,
    generator: torch.Generator,
    *,
    times: tuple[float, ...] = (0.0, 1.0),
    num_foregrounds: int = 1,
    sampling: Sampling = "bilinear",
    varies_speed: bool = False,
) -> MotionScene:
    """Move the background of each image and, on top, blobs cut from the other images.

    Args:
        images: RGB in [0, 1], ``(n, 3, h, w)``, on any device.
        max_motion: Largest translation in pixels and axis; small ones are drawn more often.
        generator: Source of randomness, on the CPU: a scene is the same on every device.
        times: Instants of the frames; the motion is that from 0 to 1.
        num_foregrounds: Blobs per image; some lie outside and are not seen.
        sampling: How layers are sampled; bicubic keeps moved layers as sharp as unmoved ones.
        varies_speed: Slow everything in a scene down by a factor in [0, 1], drawn per scene, so
            that many scenes hardly move.

    Returns:
        The scene. Where the motion leads out of the picture it shows the mirrored inside.
    """
    speed = _uniform((len(images), 1), images, generator) if varies_speed else 1.0
    layer = _Layer.draw(images, max_motion, generator).slowed(speed)
    frames = [layer.move(images, time, sampling) for time in times]
    flow = layer.flow()
    for index in range(num_foregrounds):
        picture = images.roll(index + 1, dims=0)
        layer = _Layer.draw(picture, max_motion, generator).slowed(speed)
        mask = _ellipses(images, generator)
        flow = torch.where(mask > 0.5, layer.flow(), flow)
        frames = [
            torch.lerp(frame, layer.move(picture, time, sampling), layer.move(mask, time))
            for frame, time in zip(frames, times, strict=True)
        ]
    return MotionScene(tuple(frame.clamp(0, 1) for frame in frames), flow)


class _Layer(NamedTuple):
    """A motion ``p -> p + t * (linear @ p + shift)``, ``p`` in pixels from the centre."""

    size: tuple[int, int]
    linear: torch.Tensor
    shift: torch.Tensor

    @classmethod
    def draw(cls, image: torch.Tensor, max_motion: float, generator: torch.Generator) -> "_Layer":
        n = image.shape[0]
        draws = _uniform((n, 2), image, generator) * 2 - 1
        shift = max_motion * draws * draws.abs()
        linear = 0.03 * torch.randn(n, 2, 2, generator=generator).to(image.device)
        return cls((image.shape[-2], image.shape[-1]), linear, shift)

    def slowed(self, speed: torch.Tensor | float) -> "_Layer":
        """The layer with its motion times a factor, one for all or one per image, ``(n, 1)``."""
        linear = self.linear * (speed[..., None] if isinstance(speed, torch.Tensor) else speed)
        return self._replace(linear=linear, shift=self.shift * speed)

    def _points(self) -> torch.Tensor:
        """Pixel positions from the centre, ``(h * w, 2)``, x first."""
        height, width = self.size
        y, x = torch.meshgrid(
            torch.arange(height, device=self.linear.device) - (height - 1) / 2,
            torch.arange(width, device=self.linear.device) - (width - 1) / 2,
            indexing="ij",
        )
        return torch.stack((x, y), dim=-1).view(-1, 2)

    def flow(self) -> torch.Tensor:
        """The motion from time 0 to time 1 at each pixel, ``(n, 2, h, w)``."""
        motion = self._points() @ self.linear.mT + self.shift[:, None]  # (n, h * w, 2)
        return motion.mT.reshape(-1, 2, *self.size)

    def move(
        self, image: torch.Tensor, time: float, sampling: Sampling = "bilinear"
    ) -> torch.Tensor:
        """The image at an instant: it shows at ``p + t * f(p)`` what was at ``p``."""
        if time == 0:
            return image
        height, width = self.size
        inverse = torch.linalg.inv(torch.eye(2, device=image.device) + time * self.linear)
        sources = (self._points() - time * self.shift[:, None]) @ inverse.mT  # (n, h * w, 2)
        grid = 2 * sources / sources.new_tensor([max(width - 1, 1), max(height - 1, 1)])
        grid = grid.view(-1, height, width, 2)
        return F.grid_sample(
            image, grid, mode=sampling, padding_mode="reflection", align_corners=True
        )


def _ellipses(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Soft masks ``(n, 1, h, w)``, one ellipse each; some lie outside and leave no foreground."""
    n, _, height, width = images.shape
    centre = _uniform((n, 2, 1, 1), images, generator) * 2.4 - 1.2
    radius = 0.2 + 0.6 * _uniform((n, 2, 1, 1), images, generator)
    x = torch.linspace(-1, 1, width, device=images.device).view(1, 1, width)
    y = torch.linspace(-1, 1, height, device=images.device).view(1, height, 1)
    distance = ((x - centre[:, 0]) / radius[:, 0]) ** 2 + ((y - centre[:, 1]) / radius[:, 1]) ** 2
    return torch.sigmoid((1 - distance) * 20).unsqueeze(1)


def _uniform(
    shape: tuple[int, ...], like: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Numbers in [0, 1) from a generator on the CPU, on the device of another tensor."""
    return torch.rand(shape, generator=generator).to(like.device)
