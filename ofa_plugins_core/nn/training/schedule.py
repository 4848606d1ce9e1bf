"""The learning rate of a step: a linear warm-up, then half a cosine down to nothing."""

from __future__ import annotations

import math

from ofa_plugins_core.phases import Phase


def learning_rate(phase: Phase, steps: int, done: int) -> float:
    """The rate of the next step, for the plan's batch.

    Args:
        steps: of an epoch.
        done: steps of the phase that are done, from 0.
    """
    warm = phase.warmup_epochs * steps
    if done < warm:
        return phase.warmup_lr + (phase.base_lr - phase.warmup_lr) * done / warm
    share = (done - warm) / max(1, phase.epochs * steps - warm)
    return 0.5 * phase.base_lr * (1 + math.cos(math.pi * min(1.0, share)))
