"""Clips to evaluate super-resolution on, as a data set of ModelScope."""

from typing import Any

import torch
from modelscope.msdatasets.dataset_cls.custom_datasets import CUSTOM_DATASETS, TorchCustomDataset
from modelscope.utils.constant import ModeKeys

from msvsr.data.videolq import VideoLQ
from msvsr.plugin.names import SUPER_RESOLUTION_MODEL, SUPER_RESOLUTION_TASK
from msvsr.plugin.registering import register

__all__ = ["VideoSuperResolutionDataset"]


@register(CUSTOM_DATASETS, SUPER_RESOLUTION_TASK, SUPER_RESOLUTION_MODEL)
class VideoSuperResolutionDataset(TorchCustomDataset):  # type: ignore[misc]
    """One item per clip, decoded when it is asked for.

    A whole clip as a tensor can be large; `clips` gives the same frames one by one.

    Args:
        datasets: Rows with the columns ``LQ Frame:FILE`` and ``Clip Num``, or a folder of clip
            folders, see `msvsr.data.videolq.VideoLQ`.
        mode: Accepted from ModelScope.
        preprocessor: Accepted from ModelScope, without effect: items need no further step.

    Attributes:
        clips: The clips by name.

    Raises:
        InputError: Columns or images are missing.
    """

    def __init__(
        self,
        datasets: Any,  # noqa: ANN401  (checked when it is read)
        *,
        mode: str = ModeKeys.EVAL,
        preprocessor: object = None,
    ) -> None:
        del preprocessor
        self.clips = VideoLQ(datasets)
        super().__init__(tuple(self.clips.values()), mode=mode)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Decode a clip.

        Returns:
            ``input``: RGB float32 in [0, 1], ``(t, 3, h, w)``.
        """
        return {"input": self._inner_dataset[index].to_tensor()}
