"""ExecuTorch's memory plan, made ahead of time: the buffers of the program that a device loads.

Float: the portable kernels. Int8: the Cortex-M back end (CMSIS-NN), quantised by its own quantizer
with torchao; this is what a microcontroller holds. No delegate is used: a delegate such as XNNPACK
allots its buffers itself when the program is loaded, and the plan then shows only what goes in
and out of it.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from copy import deepcopy
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Final

import torch
from torch import nn

from ofa_plugins_core.errors import MissingExtraError, UsageError
from ofa_plugins_core.nn.planners.record import (
    Moment,
    Plan,
    PlanType,
    Tensor,
    by_op,
    largest,
)

_NAMES: Final = {torch.float32: "fp32", torch.int8: "int8", torch.uint8: "scratch"}
NOTES: Final[dict[PlanType, str]] = {
    "fp32": "portable kernels, constants folded: one block with the image and the logits in it; "
    "nothing is written in place, and h_swish is made of four ops",
    "int8": "Cortex-M kernels (CMSIS-NN for Cortex-M55): one block with the image, the logits and "
    "the kernels' scratch in it; activations are int8, channels last",
}


def executorch_plan(module: nn.Module, size: int, dtype: PlanType = "fp32") -> Plan:
    """What ExecuTorch plans for a network's activations; batch 1, no delegate.

    Args:
        module: takes (n, 3, size, size); stays as it is.
        size: of the image, in pixels.
        dtype: fp32 (portable kernels) or int8 (Cortex-M's).

    Raises:
        MissingExtraError: executorch is not installed, or not its Cortex-M back end's needs.
        UsageError: ExecuTorch cannot lower the network.
    """
    for needed in ("executorch", "torchao", *(["tosa_serializer"] if dtype == "int8" else [])):
        if find_spec(needed) is None:
            raise MissingExtraError(
                f"planning {dtype} with ExecuTorch ({needed})", "ofa-plugins-core", "executorch"
            )
    with _quiet():
        try:
            program = (_cortex_m if dtype == "int8" else _portable)(deepcopy(module).eval(), size)
        except Exception as error:  # its passes raise whatever they meet
            raise UsageError(f"ExecuTorch cannot plan this network: {error!s:.300}") from error
    moments = _moments(program.exported_program())
    back_end = "Cortex-M (CMSIS-NN, M55)" if dtype == "int8" else "portable kernels"
    planned = program.executorch_program.execution_plan[0].non_const_buffer_sizes
    return Plan(
        "executorch",
        f"{version('executorch')}, {back_end}",
        dtype,
        sum(planned),
        _constants(program.exported_program()),
        None,
        by_op(moments),
        largest(moments),
        NOTES[dtype],
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Its passes warn and log about their own insides."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def _portable(module: nn.Module, size: int) -> Any:
    """Batch norm is folded by the quantizer's own preparation, with nothing to quantize."""
    from executorch.exir import EdgeCompileConfig, to_edge
    from executorch.exir.passes.constant_prop_pass import constant_prop_pass
    from torchao.quantization.pt2e.quantize_pt2e import prepare_pt2e

    image = (torch.zeros(1, 3, size, size),)
    folded = prepare_pt2e(_graph(module, image), _nothing())
    exported = torch.export.export(folded, image).run_decompositions()
    # the classifier's transposed weights would be planned as an activation otherwise
    edge = to_edge(
        constant_prop_pass(exported), compile_config=EdgeCompileConfig(_check_ir_validity=False)
    )
    return edge.to_executorch()


def _cortex_m(module: nn.Module, size: int) -> Any:
    """As ExecuTorch's own compiler for Cortex-M lowers: channels last, quantised, its passes."""
    from executorch.backends.cortex_m.edge_compile_config import cortex_m_edge_compile_config
    from executorch.backends.cortex_m.passes.cortex_m_pass_manager import CortexMPassManager
    from executorch.backends.cortex_m.quantizer.quantizer import CortexMQuantizer
    from executorch.exir import ExecutorchBackendConfig, to_edge
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 3, size, size, generator=generator)
    image = (noise.to(memory_format=torch.channels_last),)
    layers: Any = module  # the annotations of Module.to leave memory_format out
    layers = layers.to(memory_format=torch.channels_last)
    prepared = prepare_pt2e(_graph(layers, image), CortexMQuantizer())
    prepared(*image)
    exported = torch.export.export(convert_pt2e(prepared), image)
    edge = to_edge(exported, compile_config=cortex_m_edge_compile_config())
    passed = CortexMPassManager(edge.exported_program()).transform()
    edge._edge_programs["forward"] = passed
    return edge.to_executorch(ExecutorchBackendConfig(extract_delegate_segments=False))


def _graph(module: nn.Module, image: tuple[torch.Tensor]) -> Any:
    return torch.export.export(module, image).module(check_guards=False)


def _nothing() -> Any:
    """A quantizer that quantizes nothing."""
    from torchao.quantization.pt2e.quantizer import Quantizer

    class Nothing(Quantizer):  # type: ignore[misc]
        def annotate(self, model: Any) -> Any:
            return model

        def validate(self, model: Any) -> None:
            return None

    return Nothing()


def _moments(program: Any) -> list[Moment]:
    """What is alive at each op, by the planner's own lifetimes."""
    from executorch.exir.memory_planning import collect_specs_from_nodes

    nodes = list(program.graph_module.graph.nodes)
    specs = list(
        collect_specs_from_nodes(
            nodes, ignore_graph_input=False, ignore_graph_output=False, ignore_const=True
        )
    )
    kernels = ((i, n) for i, n in enumerate(nodes) if n.op == "call_function")
    return [
        Moment(_said(node), _alive(specs, number))
        for number, node in kernels
        if "alloc" not in str(node.target)
    ]


def _said(node: Any) -> str:
    return f"{str(node.target).removesuffix('.out')} {node.name}"


def _alive(specs: Sequence[Any], number: int) -> tuple[Tensor, ...]:
    return tuple(
        Tensor("", tuple(s.shape), _NAMES.get(s.dtype, str(s.dtype)), s.allocated_memory)
        for s in specs
        if s.lifetime[0] <= number <= s.lifetime[1] and s.allocated_memory
    )


def _constants(program: Any) -> int:
    """Bytes of the constants that the program carries."""
    held = {**program.state_dict, **program.constants}
    return sum(t.nbytes for t in held.values() if isinstance(t, torch.Tensor))
