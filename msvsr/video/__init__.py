"""Video in and out: the only package that speaks to PyAV, beside the degradations.

`open_source` gives upright RGB frames with exact timestamps from a file, a URL or a folder of
images; `open_sink` writes frames with the sound, subtitles, tags and colours of their source;
`probe` says what a file holds.
"""

from msvsr.video.base import FrameSource
from msvsr.video.options import CODEC_NAMES, OutputOptions, SourceOptions
from msvsr.video.sinks import FrameSink, SinkResult, open_sink
from msvsr.video.sources import open_source, probe

__all__ = [
    "CODEC_NAMES",
    "FrameSink",
    "FrameSource",
    "OutputOptions",
    "SinkResult",
    "SourceOptions",
    "open_sink",
    "open_source",
    "probe",
]
