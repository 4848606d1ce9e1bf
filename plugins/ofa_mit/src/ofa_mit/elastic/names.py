"""Names of tensors in published files, and loading under them, strictly.

Two layouts: *new* and *old* (``mobile_inverted_conv`` for ``conv``). In both, an elastic layer
wraps its tensors twice (``.conv.conv.weight``, ``.bn.bn.*``) and a static one once. Source: the
published files, as specs/networks.md lists them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import torch
from torch import Tensor

from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.geometry import Block

LAYOUTS: Final = ("new", "old")
SHOWN: Final = 4
"""Names in a message, of each kind."""


class Names(Protocol):
    """A family's published names."""

    def prefixes(self, blocks: Sequence[Block], layout: str) -> list[str]:
        """What the names of each block's tensors begin with."""

    def key(self, prefix: str, block: Block, op: str, tensor: str) -> str:
        """The name of a tensor of an elastic network.

        Args:
            tensor: ``weight``, ``bias``, ``norm.weight``, …, ``7to5``.
        """

    def static_key(self, prefix: str, op: str, tensor: str) -> str:
        """The name of a tensor of a static network (``conv.weight``, ``norm.running_mean``, …)."""


def check_layout(layout: str) -> None:
    """Raise UsageError for a layout that is not published."""
    if layout not in LAYOUTS:
        raise UsageError(f"unknown layout {layout!r}; known: {', '.join(LAYOUTS)}")


class MobileNames:
    """Of MBConv networks."""

    _PLACES: Final = {
        "stem": "first_conv",
        "final_expand": "final_expand_layer",
        "feature_mix": "feature_mix_layer",
        "classifier": "classifier",
        "pool": "",
    }
    _OPS: Final = {
        "expand": ".inverted_bottleneck",
        "depthwise": ".depth_conv",
        "project": ".point_linear",
        "se.reduce": ".depth_conv.se.fc.reduce",
        "se.expand": ".depth_conv.se.fc.expand",
    }

    def prefixes(self, blocks: Sequence[Block], layout: str) -> list[str]:
        """What the names of each block's tensors begin with; MBConv blocks are counted."""
        check_layout(layout)
        inside = "conv" if layout == "new" else "mobile_inverted_conv"
        found, number = [], 0
        for block in blocks:
            if block.kind == "mbconv":
                found.append(f"blocks.{number}.{inside}")
                number += 1
            else:
                found.append(self._PLACES[block.kind])
        return found

    def key(self, prefix: str, block: Block, op: str, tensor: str) -> str:
        """The name of a tensor of an elastic network: the stages alone are elastic."""
        if block.stage is None or op.startswith("se."):
            return self.static_key(prefix, op, f"conv.{tensor}" if _own(tensor) else tensor)
        return prefix + self._OPS[op] + _elastic(tensor)

    def static_key(self, prefix: str, op: str, tensor: str) -> str:
        """The name of a tensor of a static network."""
        place = prefix + self._OPS.get(op, "")
        if op.startswith("se."):
            return f"{place}.{tensor.removeprefix('conv.')}"
        if op == "linear":
            return f"{place}.linear.{tensor.rpartition('.')[2]}"
        return f"{place}.{_batch_norm(tensor)}"


class ResidualNames:
    """Of bottleneck networks: every layer is elastic; both layouts are one."""

    _OPS: Final = {
        "conv": "",
        "reduce": ".conv1",
        "spatial": ".conv2",
        "expand": ".conv3",
        "shortcut": ".downsample",
        "linear": "",
    }

    def prefixes(self, blocks: Sequence[Block], layout: str) -> list[str]:
        """What the names of each block's tensors begin with; stem and bottlenecks are counted."""
        check_layout(layout)
        found, stem, number = [], 0, 0
        for block in blocks:
            if block.kind == "stem":
                found.append(f"input_stem.{stem}{'.conv' if block.shortcut else ''}")
                stem += 1
            elif block.kind == "bottleneck":
                found.append(f"blocks.{number}")
                number += 1
            else:
                found.append("classifier")
        return found

    def key(self, prefix: str, block: Block, op: str, tensor: str) -> str:
        """The name of a tensor of an elastic network."""
        if op == "linear":
            return f"{prefix}.linear.linear.{tensor}"
        return prefix + self._OPS[op] + _elastic(tensor)

    def static_key(self, prefix: str, op: str, tensor: str) -> str:
        """The name of a tensor of a static network."""
        if op == "linear":
            return f"{prefix}.linear.{tensor.rpartition('.')[2]}"
        return f"{prefix}{self._OPS[op]}.{_batch_norm(tensor)}"


NAMES: Final[Mapping[str, Names]] = {"mobile": MobileNames(), "residual": ResidualNames()}


def _own(tensor: str) -> bool:
    return not tensor.startswith("norm.")


def _batch_norm(tensor: str) -> str:
    return f"bn.{tensor.removeprefix('norm.')}" if tensor.startswith("norm.") else tensor


def _elastic(tensor: str) -> str:
    """The end of an elastic layer's name: wrapped twice, kernel matrices once."""
    if tensor.startswith("norm."):
        return f".bn.bn.{tensor.removeprefix('norm.')}"
    return f".conv.{tensor}_matrix" if "to" in tensor else f".conv.conv.{tensor}"


# ---------------------------------------------------------------------------- loading


class Published:
    """Tensors under their published names: what elastic and extracted networks share."""

    def _published(self, layout: str) -> dict[str, Tensor]:
        """Published name -> the network's own tensor."""
        raise NotImplementedError

    def published(self, layout: str = "new") -> dict[str, Tensor]:
        """Its tensors, copied, under the published names.

        Raises:
            UsageError: the layout is neither ``new`` nor ``old``.
        """
        return {k: t.detach().clone() for k, t in self._published(layout).items()}

    def load_published(self, state: Mapping[str, Any], *, new_head: bool = False) -> None:
        """Load a published checkpoint, strictly: either layout, wrapped as a state dict or not.

        A static file, a teacher's for example, loads into an elastic network, too.

        Raises:
            InputError: names what is missing, unexpected or of another shape; nothing is changed.
        """
        load_strictly(self._published("new"), state, new_head=new_head)


def load_strictly(
    expected: Mapping[str, Tensor],
    state: Mapping[str, Any],
    *,
    new_head: bool = False,
) -> None:
    """Copy a checkpoint into tensors; all of it or nothing.

    Args:
        expected: name in the new layout -> the tensor that it goes into.
        state: name -> tensor, in either layout, elastic or static; also wrapped as
            ``{"state_dict": …}``.
        new_head: leave a classifier of other classes out.

    Raises:
        InputError: names what is missing, unexpected or of another shape; nothing was copied.
    """
    given = _in_new_layout(_unwrapped(state))
    static = not any(".conv.conv.weight" in k or ".linear.linear." in k for k in given)
    found: dict[str, Any] = {}
    missing = []
    for key in expected:
        place = key if key in given else _static_name(key)
        if place in given:
            found[key] = given.pop(place)
        elif not (static and key.endswith("_matrix")):  # a teacher: its kernels are not elastic
            missing.append(key)
    shapes = {k: v for k, v in found.items() if v.shape != expected[k].shape}
    if new_head:
        for key in [k for k in shapes if k.startswith("classifier.")]:
            del found[key], shapes[key]
    _refuse(missing, list(given), shapes, expected)
    _refuse_odd(found)
    with torch.no_grad():
        for key, tensor in found.items():
            expected[key].copy_(tensor)
        for key in expected.keys() - found.keys():
            if key.endswith("_matrix"):
                expected[key].copy_(torch.eye(len(expected[key])))


def _unwrapped(state: Mapping[str, Any]) -> dict[str, Tensor]:
    inner = state.get("state_dict")
    found = dict(inner if isinstance(inner, Mapping) else state)
    odd = next((k for k, v in found.items() if not isinstance(v, Tensor)), None)
    if odd is not None or not found:
        what = "it is empty" if odd is None else f"{odd!r:.60} is no tensor"
        raise InputError(
            f"not a checkpoint: {what}",
            advice="expected a dict of names and tensors, or one under 'state_dict'",
        )
    if all(k.startswith("module.") for k in found):  # as data-parallel training saves it
        found = {k.removeprefix("module."): v for k, v in found.items()}
    return found


def _in_new_layout(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found = {_new(k): v for k, v in state.items()}
    if len(found) < len(state):
        twice = next(k for k in state if k not in found and state.keys() & {_new(k)})
        raise InputError(f"the checkpoint holds {_new(twice)} twice, in both layouts")
    return found


def _new(key: str) -> str:
    return key.replace(".mobile_inverted_conv.", ".conv.", 1)


def _static_name(key: str) -> str:
    """An elastic layer's name as a static network has it."""
    for twice in (".conv.conv.", ".bn.bn.", ".linear.linear."):
        once = twice[: len(twice) // 2 + 1]
        if twice in key:
            head, _, tail = key.rpartition(twice)
            return head + once + tail
    return key


def _refuse(
    missing: Sequence[str],
    unexpected: Sequence[str],
    shapes: Mapping[str, Any],
    expected: Mapping[str, Tensor],
) -> None:
    """Raise InputError where a checkpoint does not fit."""
    complaints = [
        *_listed("missing", missing),
        *_listed("unexpected", unexpected),
        *_listed("of another shape", list(_misshapen(shapes, expected))),
    ]
    if not complaints:
        return
    advice = "it belongs to another supernet, or to another layout than published"
    heads = [k for k in shapes if k.startswith("classifier.")]
    if heads and len(heads) == len(shapes) and not (missing or unexpected):
        classes = {len(shapes[k]) for k in heads}, {len(expected[k]) for k in heads}
        if all(len(c) == 1 for c in classes):
            advice = (
                f"it is for {classes[0].pop()} classes, this network has {classes[1].pop()}: build "
                "it for as many, or take the checkpoint with a new, untrained head (--new-head)"
            )
    raise InputError(f"the checkpoint does not fit: {'; '.join(complaints)}", advice=advice)


def _refuse_odd(found: Mapping[str, Tensor]) -> None:
    """Raise InputError for tensors that hold no numbers that a network can run on."""
    for key, tensor in found.items():
        if tensor.is_meta or tensor.is_complex() or tensor.layout != torch.strided:
            kind = "has no content" if tensor.is_meta else f"is {tensor.dtype}, {tensor.layout}"
            raise InputError(f"the checkpoint does not fit: {key} {kind}")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise InputError(
                f"the checkpoint holds numbers that are not finite: {key}",
                advice="the training that wrote it diverged, or the file is damaged",
            )


def _misshapen(shapes: Mapping[str, Any], expected: Mapping[str, Tensor]) -> Iterator[str]:
    for key, tensor in shapes.items():
        yield f"{key} is {_shape(tensor)}, expected {_shape(expected[key])}"


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a single number"


def _listed(what: str, names: Sequence[str]) -> Iterable[str]:
    if names:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        yield f"{what}: {', '.join(names[:SHOWN])}{more}"
