"""Every word of the page, in English and in Chinese."""

# ruff: noqa: RUF001  (Chinese text has Chinese punctuation)

from typing import Literal

from msvsr.errors import InputError

__all__ = ["LANGUAGES", "TEXTS", "Language", "preferred_language", "say"]

Language = Literal["en", "zh"]

LANGUAGES: dict[str, Language] = {"English": "en", "中文": "zh"}
"""What the switch shows, and what it means."""

TEXTS: dict[str, tuple[str, str]] = {
    # the page
    "title": ("Video enhancement", "视频增强"),
    "subtitle": (
        "Four times the size, any frame rate. Everything stays on this machine.",
        "四倍分辨率，任意帧率。所有数据都留在本机。",
    ),
    "language": ("Language", "语言"),
    # the source
    "source": ("1. Video", "1. 视频"),
    "upload_tab": ("Upload", "上传"),
    "server_tab": ("On this machine", "本机文件"),
    "upload": (
        "A video, or several images (up to {} MiB)",
        "一个视频，或多张图片（不超过 {} MiB）",
    ),
    "upload_folder": ("Upload a folder of images", "上传图片文件夹"),
    "path": ("Path of a file or folder", "文件或文件夹路径"),
    "path_info": ("Allowed: {}", "允许访问：{}"),
    "entries": ("Or look for it here", "或在此浏览"),
    "entries_up": ("up one level", "上一级"),
    "facts_none": ("Choose a video to see what it is.", "选择视频后，这里显示其信息。"),
    "fact_name": ("Name", "名称"),
    "fact_size": ("Size", "尺寸"),
    "fact_rate": ("Frame rate", "帧率"),
    "fact_frames": ("Frames", "帧数"),
    "fact_length": ("Length", "时长"),
    "fact_codec": ("Codec", "编码"),
    "fact_sound": ("Sound", "声音"),
    "fact_bytes": ("File size", "文件大小"),
    "unknown": ("unknown", "未知"),
    "no_sound": ("none", "无"),
    "bits": ("{} bits", "{} 位"),
    "images": ("folder of images", "图片文件夹"),
    "image": ("image", "图片"),
    # the settings
    "settings": ("2. What to do", "2. 处理方式"),
    "task": ("Task", "任务"),
    "task_upscale": ("Larger (4x)", "超分辨率（4 倍）"),
    "task_interpolate": ("Smoother", "插帧"),
    "task_both": ("Both", "两者"),
    "task_classic": ("Classical", "传统滤波"),
    "rate": ("Output rate", "输出帧率"),
    "rate_info": (
        "A multiple (2x) or frames per second (60)",
        "倍数（2x）或每秒帧数（60）",
    ),
    "steps": ("Classical steps", "传统滤波步骤"),
    "steps_info": (
        "In order, separated by commas; no network is used",
        "按顺序以逗号分隔；不使用神经网络",
    ),
    "output_kind": ("Output", "输出格式"),
    "kind_video": ("MP4", "MP4"),
    "kind_images": ("PNG (lossless)", "PNG（无损）"),
    "quality": ("CRF (lower: better)", "CRF（越低越好）"),
    "image_rate": ("Frame rate of the images", "图片序列的帧率"),
    "advanced": ("Models and device", "模型与设备"),
    "upscale_model": ("Model for size", "超分辨率模型"),
    "interpolate_model": ("Model for smoothness", "插帧模型"),
    "model_info": (
        "Embedded, a folder, or an id of the Hub",
        "内置模型、文件夹或 Hub 模型 ID",
    ),
    "embedded": ("Embedded ({})", "内置（{}）"),
    "device": ("Device", "设备"),
    "device_auto": ("Automatic ({})", "自动（{}）"),
    "refine": ("Refinement", "精细清理"),
    "refine_info": (
        "Clean again while the residue is at least this many grey levels of 255",
        "当残差不小于该灰度级（0–255）时再次清理",
    ),
    "refine_model": ("As the model says", "按模型设定"),
    "refine_once": ("Once (255)", "仅一次（255）"),
    "refine_gan": ("5, for models trained with a GAN", "5，适合 GAN 模型"),
    "refine_plain": ("1.5, for models trained without", "1.5，适合非 GAN 模型"),
    "start": ("Start", "开始"),
    # the estimate
    "estimate_none": (
        "The time and memory it needs will stand here.",
        "所需时间与内存将显示在此处。",
    ),
    "estimate_measuring": ("Measuring on a few frames …", "正在用几帧试运行 …"),
    "estimate_busy": (
        "The time is measured as soon as the running job has ended.",
        "当前任务结束后即可估算时间。",
    ),
    "estimate_download": (
        "The model is not on this machine: it is downloaded when the job begins.",
        "本机没有该模型：任务开始时将下载。",
    ),
    "estimate_time": ("about {}", "约 {}"),
    "estimate_memory": ("about {} of memory ({} free)", "内存约 {}（可用 {}）"),
    "estimate_tight": (
        "That is more than is free: close other programs first.",
        "超过可用内存：请先关闭其他程序。",
    ),
    "estimate_output": ("{}x{}, {} frames/s, {} frames", "{}x{}，{} 帧/秒，共 {} 帧"),
    # the jobs
    "now": ("3. Progress", "3. 进度"),
    "idle": ("Nothing is running.", "当前没有任务。"),
    "preview_wait": (
        "The first frame appears here once its shot has been gone through.",
        "处理完镜头的前期阶段后，这里显示首帧。",
    ),
    "frames": ("{} of {} frames", "{} / {} 帧"),
    "speed": ("{} frames/s", "{} 帧/秒"),
    "left": ("{} left", "剩余 {}"),
    "elapsed": ("{} so far", "已用 {}"),
    "loading": ("getting ready", "准备中"),
    "cancel": ("Cancel", "取消"),
    "show": ("Show", "查看"),
    "history": ("Jobs", "任务列表"),
    "history_none": ("Jobs appear here.", "任务将显示在此处。"),
    "state_waiting": ("waiting", "等待中"),
    "state_running": ("running", "运行中"),
    "state_done": ("done", "完成"),
    "state_failed": ("failed", "失败"),
    "state_cancelled": ("cancelled", "已取消"),
    "ahead": ("{} before it", "前面还有 {} 个"),
    "queued": ("Job {} is in the queue.", "任务 {} 已加入队列。"),
    "error": ("Error", "错误"),
    # the result
    "result": ("4. Result", "4. 结果"),
    "result_none": ("A finished job is shown here.", "完成的任务将显示在此处。"),
    "before_after": ("Before and after: drag the divider", "前后对比：拖动分隔线"),
    "moment": ("Moment (% of the video)", "时刻（视频的百分比）"),
    "compare_with": ("Compare with", "对比对象"),
    "the_source": ("the input", "输入"),
    "job_name": ("job {}: {}", "任务 {}：{}"),
    "download": ("Download", "下载"),
    "download_zip": ("Download all as zip", "下载全部（zip）"),
    "kept_at": ("Kept at {}", "保存于 {}"),
    "warnings": ("Warnings", "警告"),
    "summary": ("{} frames, {} s, {} frames/s", "{} 帧，{} 秒，{} 帧/秒"),
    # time
    "seconds": ("{} s", "{} 秒"),
    "minutes": ("{} min {} s", "{} 分 {} 秒"),
    "hours": ("{} h {} min", "{} 小时 {} 分"),
}


def say(key: str, language: Language, *values: object) -> str:
    """A text of the page.

    Args:
        key: Which.
        language: In which language.
        *values: What its gaps are filled with.

    Raises:
        InputError: There is no such text.

    Example:
        >>> say("queued", "en", 3), say("cancel", "zh")
        ('Job 3 is in the queue.', '取消')
    """
    if key not in TEXTS:
        raise InputError(f"the page has no text '{key}': add it to TEXTS")
    english, chinese = TEXTS[key]
    return (chinese if language == "zh" else english).format(*values)


def preferred_language(accepted: str) -> Language:
    """The language that a browser asks for.

    Args:
        accepted: Its ``Accept-Language`` header.

    Example:
        >>> preferred_language("zh-CN,zh;q=0.9,en;q=0.8"), preferred_language("de,en;q=0.5")
        ('zh', 'en')
    """
    for part in accepted.lower().split(","):
        tag = part.split(";")[0].strip()
        if tag.startswith("zh"):
            return "zh"
        if tag.startswith("en"):
            return "en"
    return "en"
