"""A level's statistics as the core's: by the names of the extracted network's own norms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from dynamic_ofa.levels.table import LevelRow, Names, NormStatistics
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.interfaces import Statistics
from ofa_plugins_core.nn.calibrate import norms_of

MEAN: Final = ".running_mean"
MEASURE: Final = "ofa run levels measures them on your weights"


def statistics_of_level(number: int, row: LevelRow, subnet: Any, names: Names) -> Statistics:
    """Statistics of one level, by the subnet's own names, as tensors where the subnet is.

    Args:
        number: of the level, for messages.
        subnet: of the level's architecture, freshly extracted and used for nothing else: under
            published names its statistics are written over.
        names: of the table.

    Raises:
        InputError: the level has none, or of other norms or widths; names level and norm.
    """
    norms = norms_of(subnet)
    if not norms:
        return {}
    if row.statistics is None:
        raise InputError(f"missing batch norm statistics of level {number}", advice=MEASURE)
    own = {name: name for name in norms} if names == "own" else _own_names(subnet, norms, names)
    given = row.statistics.items()
    _check(number, given, {name: norms[inner] for name, inner in own.items()})
    return {own[name]: _pair(norms[own[name]], *found) for name, found in given.items()}


def _own_names(subnet: Any, norms: Mapping[str, nn.BatchNorm2d], layout: str) -> dict[str, str]:
    """Published name of a norm -> the module's own.

    Each norm's means are set to its number, and read again under the published names.
    """
    known = list(norms)
    for number, norm in enumerate(norms.values()):
        assert norm.running_mean is not None
        norm.running_mean.fill_(number)
    return {
        key.removesuffix(MEAN): known[int(tensor[0])]
        for key, tensor in subnet.published(layout).items()
        if key.endswith(MEAN)
    }


def _check(
    number: int,
    given: Mapping[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]],
    norms: Mapping[str, nn.BatchNorm2d],
) -> None:
    """Raise InputError where statistics are of another network."""
    what = f"the batch norm statistics of level {number} are of another network"
    for name in (*norms, *given):
        if name not in given:
            raise InputError(f"{what}: {name} has none", advice=MEASURE)
        if name not in norms:
            raise InputError(f"{what}: it has no norm {name!r:.80}", advice=MEASURE)
        found, due = len(given[name][0]), norms[name].num_features
        if found != due:
            raise InputError(f"{what}: {name} has {due} channels, not {found}", advice=MEASURE)


def _pair(norm: nn.BatchNorm2d, mean: Any, variance: Any) -> tuple[Tensor, Tensor]:
    like = norm.running_mean
    assert like is not None
    made = (torch.from_numpy(np.array(a)).to(like.device, like.dtype) for a in (mean, variance))
    return next(made), next(made)


def as_table_statistics(found: Statistics) -> NormStatistics:
    """Measured statistics as a level table holds them: float32, in the order of the network."""
    return NormStatistics.of({name: (_array(m), _array(v)) for name, (m, v) in found.items()})


def _array(tensor: Tensor) -> Any:
    return tensor.detach().cpu().float().numpy()
