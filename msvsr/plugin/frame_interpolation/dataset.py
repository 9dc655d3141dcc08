"""Samples to evaluate frame interpolation on, as a data set of ModelScope."""

from typing import Any

import torch
from modelscope.msdatasets.dataset_cls.custom_datasets import CUSTOM_DATASETS, TorchCustomDataset
from modelscope.utils.constant import ModeKeys

from msvsr.data.interpolation_sets import InterpolationSet
from msvsr.plugin.names import FRAME_INTERPOLATION_MODEL, FRAME_INTERPOLATION_TASK
from msvsr.plugin.registering import register

__all__ = ["VideoFrameInterpolationDataset"]


@register(CUSTOM_DATASETS, FRAME_INTERPOLATION_TASK, FRAME_INTERPOLATION_MODEL)
class VideoFrameInterpolationDataset(TorchCustomDataset):  # type: ignore[misc]
    """One item per sample, decoded when it is asked for.

    Args:
        datasets: Rows with the columns ``Input1:FILE`` to ``Input4:FILE`` and ``Output:FILE``, or
            a folder of samples, see `msvsr.data.interpolation_sets`.
        opt: ``dataset`` of a model's configuration, as the official card passes it; nothing in it
            changes the samples.
        mode: Accepted from ModelScope.
        preprocessor: Accepted from ModelScope, without effect: items need no further step.

    Attributes:
        samples: The samples, with their names.

    Raises:
        InputError: Columns or images are missing.
    """

    def __init__(
        self,
        datasets: Any,  # noqa: ANN401  (checked when it is read)
        opt: object = None,
        *,
        mode: str = ModeKeys.EVAL,
        preprocessor: object = None,
    ) -> None:
        del opt, preprocessor
        self.samples = InterpolationSet(datasets)
        super().__init__(self.samples, mode=mode)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Decode a sample.

        Returns:
            ``input``: the frames around, RGB float32 in [0, 1], ``(t, 3, h, w)`` with two or four
            frames; ``target``: the frame in the middle, ``(3, h, w)``.
        """
        frames, gt = self.samples[index].load()
        return {"input": frames, "target": gt}
