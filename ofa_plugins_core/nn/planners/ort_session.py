"""Runs an ONNX file in ONNX Runtime so that its log tells what it allots; a process of its own.

``python -m ofa_plugins_core.nn.planners.ort_session MODEL FOLDER``: the log goes to stderr, the
optimised graph and a profile into FOLDER. Alone in a process, because the log is written at C
level, and an allocator that is registered stays for good.

The arena is set to ask for exactly what is requested and to give free memory back after each run.
The first run records the sizes of all tensors; from the second on one block holds all activations
(the memory pattern), and that block is the first thing that a run asks for. So that it is asked for
from the system, and hence logged, whatever free room the session's start has left in the arena is
taken before.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

RUNS = 3
MARK = "=== run"
PIECES = tuple(1 << power for power in range(23, 10, -1))
"""Bytes: 8 MiB down to 1 KiB. A session's start leaves no larger gap than its largest weights."""
EACH = 3


def options(folder: Path) -> Any:
    """Of the session: one thread, the shared arena, profile and optimised graph written."""
    import onnxruntime as ort

    found = ort.SessionOptions()
    found.intra_op_num_threads = found.inter_op_num_threads = 1
    found.log_severity_level = 3
    found.enable_profiling = True
    found.profile_file_prefix = str(folder / "profile")
    found.optimized_model_filepath = str(folder / "optimised.onnx")
    found.add_session_config_entry("session.use_env_allocators", "1")
    return found


def register_arena() -> None:
    """An arena that extends by what is asked for, and no more."""
    import onnxruntime as ort

    exactly = {"arena_extend_strategy": 1, "initial_chunk_size_bytes": 1 << 20}
    default = {"max_dead_bytes_per_chunk": -1, "initial_growth_chunk_size_bytes": -1}
    kind, use = ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, ort.OrtMemType.DEFAULT
    arena = ort.OrtArenaCfg({**exactly, **default})
    ort.create_and_register_allocator(ort.OrtMemoryInfo("Cpu", kind, 0, use), arena)


def fill_gaps(holds: Any) -> list[Any]:
    """Take free room in the arena, large pieces first; what is returned has to be kept.

    Args:
        holds: a session that makes a tensor of as many bytes as it is told.
    """
    import numpy as np
    import onnxruntime as ort

    sizes = [size for size in PIECES for _ in range(EACH)]
    return [
        holds.run_with_ort_values(
            ["piece"], {"bytes": ort.OrtValue.ortvalue_from_numpy(np.array([size], np.int64))}
        )
        for size in sizes
    ]


def piece_maker() -> Any:
    """The session for ``fill_gaps``, on the same arena."""
    import onnxruntime as ort
    from onnx import TensorProto, helper

    value = helper.make_tensor("value", TensorProto.UINT8, [1], [0])
    node = helper.make_node("ConstantOfShape", ["bytes"], ["piece"], value=value)
    graph = helper.make_graph(
        [node],
        "piece",
        [helper.make_tensor_value_info("bytes", TensorProto.INT64, [1])],
        [helper.make_tensor_value_info("piece", TensorProto.UINT8, ["n"])],
    )
    opset = helper.make_opsetid("", 13)
    model = helper.make_model(graph, ir_version=9, opset_imports=[opset])
    found = ort.SessionOptions()
    found.log_severity_level = 3
    found.add_session_config_entry("session.use_env_allocators", "1")
    return ort.InferenceSession(
        model.SerializeToString(), found, providers=["CPUExecutionProvider"]
    )


def run(model: Path, folder: Path) -> None:
    """Run the network a few times on zeros; batch 1."""
    import numpy as np
    import onnxruntime as ort

    ort.set_default_logger_severity(1)
    register_arena()
    session = ort.InferenceSession(str(model), options(folder), providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    shape = [size if isinstance(size, int) else 1 for size in given.shape]
    shrinking = ort.RunOptions()
    shrinking.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    holds, kept = piece_maker(), []
    for number in range(RUNS):
        kept += fill_gaps(holds) if number == RUNS - 1 else []
        sys.stderr.write(f"{MARK} {number}\n")
        sys.stderr.flush()
        session.run(None, {given.name: np.zeros(shape, np.float32)}, shrinking)
    session.end_profiling()


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]))
