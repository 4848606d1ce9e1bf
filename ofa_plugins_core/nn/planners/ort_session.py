"""Runs an ONNX file in ONNX Runtime so that its log tells what it allots; a process of its own.

``python -m ofa_plugins_core.nn.planners.ort_session MODEL FOLDER``: the log goes to stderr, the
optimised graph and a profile into FOLDER. Alone in a process, because the log is written at C
level, and an allocator that is registered stays for good.

The arena is set to ask for exactly what is requested and to give free memory back after each run.
The first run records the sizes of all tensors; from the second on one block holds all activations
(the memory pattern), and that block is the first thing that a run asks for.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

RUNS = 3
MARK = "=== run"


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
    for number in range(RUNS):
        sys.stderr.write(f"{MARK} {number}\n")
        sys.stderr.flush()
        session.run(None, {given.name: np.zeros(shape, np.float32)}, shrinking)
    session.end_profiling()


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]))
