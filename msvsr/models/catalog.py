"""Where models are: shipped inside the package, or in folders that the user names."""

from dataclasses import dataclass
from pathlib import Path

from msvsr.errors import ConfigError
from msvsr.models.config import CONFIGURATION_FILE, read_configuration

__all__ = [
    "DEFAULT_MODELS",
    "FRAME_INTERPOLATION_TASK",
    "SUPER_RESOLUTION_TASK",
    "ModelEntry",
    "configuration_root",
    "default_model_folder",
    "find_model_folder",
    "list_models",
    "refuse_other_task",
]

SUPER_RESOLUTION_TASK = "video-super-resolution"
FRAME_INTERPOLATION_TASK = "video-frame-interpolation"

DEFAULT_MODELS = {
    SUPER_RESOLUTION_TASK: "realbasicvsr_lite_x4",
    FRAME_INTERPOLATION_TASK: "raft_interpolation_lite",
}
"""The embedded model of each task: it ships with its weights."""


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """A model folder that ships with the package.

    Attributes:
        name: The folder's name, accepted wherever a model is asked for.
        task: ModelScope's name of the task.
        folder: Where it is.
        has_weights: Whether weights are inside; if not, they have to be downloaded.
    """

    name: str
    task: str
    folder: Path
    has_weights: bool


def configuration_root() -> Path:
    """The folder of the model folders: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "configuration"
    return installed if installed.is_dir() else package.parent / "configuration"


def default_model_folder(task: str = SUPER_RESOLUTION_TASK) -> Path:
    """The folder of a task's embedded model."""
    return configuration_root() / DEFAULT_MODELS[task]


def list_models() -> list[ModelEntry]:
    """All model folders that ship with the package, by name."""
    return [
        ModelEntry(
            name=path.parent.name,
            task=str(read_configuration(path.parent).get("task")),
            folder=path.parent,
            has_weights=any(path.parent.glob("*.safetensors")),
        )
        for path in sorted(configuration_root().glob(f"*/{CONFIGURATION_FILE}"))
    ]


def find_model_folder(model: str | Path | None, task: str = SUPER_RESOLUTION_TASK) -> Path:
    """Find the folder of a model without any network.

    Args:
        model: A folder, the name of a shipped model, or ``None`` for the embedded one.
        task: ModelScope's name of the task.

    Raises:
        ConfigError: There is no such model, or it is one for another task.
    """
    if model is None:
        return _embedded_folder(task)
    folder = Path(model)
    if not folder.is_dir():
        shipped = {entry.name: entry.folder for entry in list_models()}
        if str(model) not in shipped:
            raise ConfigError(
                f"no model '{model}': expected a folder with {CONFIGURATION_FILE}, a model id of "
                f"the Hub (owner/name), or one of {', '.join(shipped) or 'no shipped models'}"
            )
        folder = shipped[str(model)]
    refuse_other_task(folder, task, name=str(model))
    return folder


def refuse_other_task(folder: Path, task: str, *, name: str) -> None:
    """Make sure that a model folder is one for a task, as far as it says.

    Args:
        folder: The model folder; one without a configuration says nothing.
        task: ModelScope's name of the task.
        name: What the user calls the model.

    Raises:
        ConfigError: It says another task.
    """
    if not (folder / CONFIGURATION_FILE).is_file():
        return
    found = read_configuration(folder).get("task")
    if found not in (None, task):
        raise ConfigError(f"'{name}' is a model for {found}, expected one for {task}: name another")


def _embedded_folder(task: str) -> Path:
    folder = default_model_folder(task)
    if not (folder / CONFIGURATION_FILE).is_file():
        raise ConfigError(
            f"the embedded model for {task} is not installed (expected '{folder}'): name a model"
        )
    return folder
