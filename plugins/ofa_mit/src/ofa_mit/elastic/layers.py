"""One elastic op: the weights of its widest form, and the slices that a narrower one uses.

Source: Once-for-All (ICLR 2020), section 3 and appendix: elastic kernel, depth, expand ratio.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from ofa_mit.elastic.steps import Step, is_pointwise, prepared_op, run_op
from ofa_plugins_core.geometry import Op
from ofa_plugins_core.nn.plain import MOMENTUM, Norm, Tensors


class ElasticLayer(nn.Module):
    """A convolution or linear layer with what follows it, at any width up to its widest.

    Args:
        widest: the op with the most channels and the largest kernel.
        kernels: sizes, where smaller kernels are made by learned matrices; else they are cropped.
        eps: of batch norm.
    """

    def __init__(self, widest: Op, kernels: Sequence[int], eps: float) -> None:
        super().__init__()
        self.widest, self.eps = widest, eps
        self.kernels = tuple(sorted(kernels, reverse=True))
        shape = [widest.channels_out, widest.channels_in // widest.groups]
        square = [] if widest.role == "linear" else [widest.kernel] * 2
        self.weight = nn.Parameter(torch.empty(*shape, *square))
        self.bias = nn.Parameter(torch.zeros(shape[0])) if widest.bias else None
        self.norm = nn.BatchNorm2d(shape[0], eps, MOMENTUM) if widest.norm else None
        for large, small in pairwise(self.kernels):
            self.register_parameter(_matrix(large, small), nn.Parameter(torch.eye(small**2)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fresh weights, from torch's generator: He's for convolutions, small ones for the head."""
        if self.widest.role == "linear":
            nn.init.normal_(self.weight, 0.0, 0.01)
        else:
            nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")

    def tensors(self, op: Op) -> Tensors:
        """The slices that an op uses; gradients reach the widest form through them."""
        out, into = op.channels_out, op.channels_in // op.groups
        weight = self._kernel(op)[:out, :into]
        bias = None if self.bias is None else self.bias[:out]
        return Tensors(weight, bias, self._norm(out))

    def _norm(self, channels: int) -> Norm | None:
        norm = self.norm
        if norm is None:
            return None
        assert norm.running_mean is not None and norm.running_var is not None
        return Norm(
            norm.weight[:channels],
            norm.bias[:channels],
            norm.running_mean[:channels],
            norm.running_var[:channels],
        )

    def _kernel(self, op: Op) -> Tensor:
        """The weights at the op's kernel size: each smaller one is made from the next larger.

        k = 5 is the centre of the 7 × 7, flattened by rows, times the matrix; k = 3 is made in the
        same way from that result. Without matrices it is the centre alone.
        """
        weight: Tensor = self.weight
        if self.widest.role == "linear" or op.kernel == self.widest.kernel:
            return weight
        weight = weight[: op.channels_out]  # no work for channels that are not used
        if len(self.kernels) < 2:
            return centre(weight, op.kernel)
        for large, small in pairwise(self.kernels):
            if small < op.kernel:
                break
            matrix = getattr(self, _matrix(large, small))
            flat = centre(weight, small).flatten(2)
            weight = F.linear(flat, matrix).reshape(-1, 1, small, small)
        return weight

    def forward(self, x: Tensor, op: Op) -> Tensor:
        """The op at its width, differentiable; batch norm as the mode says.

        Args:
            x: (n, channels in, height, width); (n, features) for a linear layer.
        """
        training = self.norm is not None and self.norm.training  # it may be frozen by itself
        if training and self.norm is not None and self.norm.num_batches_tracked is not None:
            self.norm.num_batches_tracked.add_(1)
        return run_op(op, self.tensors(op), self.eps, x, training)

    def prepared(self, op: Op) -> Step:
        """The op in evaluation, bound to tensors of its width.

        They are laid out densely: a slice of columns would be packed anew in every pass. Only a
        pointwise convolution's stay: its step packs them where it has to.
        """
        last = torch.channels_last
        kept = self.weight.ndim == 4 and self.weight.is_contiguous(memory_format=last)
        with torch.no_grad():
            found = self.tensors(op)
            weight = found.weight
            if not is_pointwise(op):
                layout = last if kept else torch.contiguous_format
                weight = weight.contiguous(memory_format=layout)
            return prepared_op(op, Tensors(weight, found.bias, found.norm), self.eps)


def _matrix(large: int, small: int) -> str:
    return f"{large}to{small}"


def centre(weight: Tensor, size: int) -> Tensor:
    """The middle size × size of kernels (…, k, k)."""
    start = (weight.shape[-1] - size) // 2
    return weight[..., start : start + size, start : start + size]
