"""What a network is trained to answer: the labels, smoothed, and what its teacher answers.

Source: Once-for-All (ICLR 2020, section 3.3): loss = cross entropy with the labels + kd_ratio ·
cross entropy with the teacher's probabilities.
"""

from __future__ import annotations

from attrs import frozen
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it


@frozen
class Loss:
    """The loss of one batch.

    Attributes:
        smoothing: of the labels, 0 to 1.
        kd_ratio: weight of the teacher's part.
    """

    smoothing: float
    kd_ratio: float

    def __call__(self, logits: Tensor, labels: Tensor, taught: Tensor | None) -> Tensor:
        """A scalar, the mean over the batch.

        Args:
            logits: (n, classes). labels: (n,).
            taught: (n, classes) probabilities of the teacher, or None.
        """
        logits = logits.float()
        loss = F.cross_entropy(logits, labels, label_smoothing=self.smoothing)
        if taught is None or not self.kd_ratio:
            return loss
        return loss + self.kd_ratio * F.cross_entropy(logits, taught)
