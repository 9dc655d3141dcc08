"""Learning rate and decay as pure functions of the step, so that resuming needs no state."""

import math

from msvsr.training.config import OptimizerConfig, TrainingConfig

__all__ = ["ema_decay", "flow_learning_rate", "learning_rate", "scheduled_rate"]


def scheduled_rate(step: int, num_steps: int, optimizer: OptimizerConfig) -> float:
    """Learning rate at a step of a phase: a ramp up from 0, and a cosine down to the final rate.

    Where the schedule is constant, the highest rate follows the ramp.
    """
    ramp = min(1.0, (step + 1) / max(optimizer.ramp_steps, 1))
    if optimizer.schedule == "constant":
        return ramp * optimizer.learning_rate
    fraction = min(1.0, step / max(num_steps, 1))
    cosine = 0.5 * (1 + math.cos(math.pi * fraction))
    low, high = optimizer.final_learning_rate, optimizer.learning_rate
    return ramp * (low + (high - low) * cosine)


def learning_rate(step: int, config: TrainingConfig) -> float:
    """Learning rate of all but the flow network: 0 in the flow warm-up, ramp, then cosine."""
    done = step - config.flow_warmup_steps
    if done < 0:
        return 0.0
    return scheduled_rate(done, config.num_steps - config.flow_warmup_steps, config.optimizer)


def flow_learning_rate(step: int, config: TrainingConfig) -> float:
    """Learning rate of the flow network: full in its warm-up, then a part of the rest's."""
    optimizer = config.optimizer
    if step < config.flow_warmup_steps:
        return optimizer.learning_rate * min(1.0, (step + 1) / max(optimizer.ramp_steps, 1))
    return optimizer.flow_rate_factor * learning_rate(step, config)


def ema_decay(step: int, optimizer: OptimizerConfig) -> float:
    """Decay of the mean of the weights, smaller in the first steps: ``(1 + s) / (10 + s)``."""
    return min(optimizer.ema_decay, (1 + step) / (10 + step))
