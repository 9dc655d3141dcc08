"""What ``build_trainer`` builds when nobody names a trainer: for our models, ours."""

from importlib import import_module
from typing import Any

from modelscope.trainers.builder import TRAINERS
from modelscope.trainers.trainer import EpochBasedTrainer

from msvsr.plugin.names import DEFAULT_GROUP, DEFAULT_TRAINER, REGISTRATIONS, TRAINER_OF_TASK
from msvsr.plugin.our_models import task_of
from msvsr.plugin.registering import register

__all__ = ["DefaultTrainer"]


@register(TRAINERS, DEFAULT_GROUP, DEFAULT_TRAINER)
class DefaultTrainer(EpochBasedTrainer):  # type: ignore[misc]
    """Stands where ModelScope has its own default trainer, and builds that one or ours."""

    # ModelScope withholds ``trust_remote_code`` from classes of other packages, and its own
    # trainer, which this one builds, needs it.
    __module__ = EpochBasedTrainer.__module__

    @classmethod
    def _instantiate(cls, **kwargs: Any) -> EpochBasedTrainer:  # noqa: ANN401
        """Make the trainer of a model."""
        if cls is not DefaultTrainer:  # somebody's own class, derived from the registered one
            return cls(**kwargs)
        task = task_of(kwargs.get("model"), kwargs.get("cfg_file"))
        if task is None:
            return EpochBasedTrainer(**kwargs)
        name = TRAINER_OF_TASK[task]
        import_module(REGISTRATIONS["TRAINERS", DEFAULT_GROUP, name])
        return TRAINERS.get(name, DEFAULT_GROUP)(**kwargs)
