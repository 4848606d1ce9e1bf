"""Options of the core's devices; alone, so that listing devices loads nothing else."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import deep_iterable, ge


@frozen(kw_only=True)
class CpuOptions:
    """Options of ``cpu``."""

    threads: int = field(
        default=1, validator=ge(1), metadata={"help": "of torch inside an operation"}
    )
    pin: tuple[int, ...] = field(
        default=(),
        validator=deep_iterable(ge(0)),
        metadata={"help": "numbers of the cores to stay on; default: any"},
    )
    channels_last: bool = field(default=False, metadata={"help": "lay tensors out channels last"})
    keep_memory: bool = field(
        default=True,
        metadata={
            "help": "freed memory stays with the process (glibc); false: as a program of torch has "
            "it that does not care, up to half as slow again by chance"
        },
    )


@frozen(kw_only=True)
class CudaOptions:
    """Options of ``cuda``."""

    index: int = field(default=0, validator=ge(0), metadata={"help": "which GPU"})
    dtype: Literal["fp32", "fp16"] = field(default="fp32", metadata={"help": "of all numbers"})
    channels_last: bool = field(default=False, metadata={"help": "lay tensors out channels last"})


@frozen(kw_only=True)
class OnnxRuntimeOptions:
    """Options of ``onnxruntime``."""

    threads: int = field(default=1, validator=ge(1), metadata={"help": "inside an operation"})
    pin: tuple[int, ...] = field(
        default=(),
        validator=deep_iterable(ge(0)),
        metadata={"help": "numbers of the cores to stay on; default: any"},
    )
