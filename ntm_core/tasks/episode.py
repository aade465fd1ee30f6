"""An episode: what a task gives to the machine and asks of it, for a batch of sequences of one length.

Axes: `step` T, `batch` B, `input` I, `output` O. Everything is time-major, and numpy: the core's torch parts turn
arrays into tensors where they need them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Episode:
    """A batch of sequences of one length, with what is asked at each step.

    Attributes:
        inputs: (step, batch, input), float32, or float64 where rows were given so.
        targets: float32 (step, batch, output); 0 where nothing is asked.
        mask: float32 (step, batch); 1 where the output counts, else 0.
        phase: int64 (step,); index into `phases`.
        phases: the names of the phases, in the order of a sequence.
    """

    inputs: Floats
    targets: NDArray[np.float32]
    mask: NDArray[np.float32]
    phase: NDArray[np.int64]
    phases: tuple[str, ...]

    def __len__(self) -> int:
        """The number of steps, T."""
        return len(self.inputs)

    @property
    def batch(self) -> int:
        """The number of sequences, B."""
        return self.inputs.shape[1]

    def one(self, index: int) -> "Episode":
        """Sequence `index` alone, its batch axis kept with length 1. IndexError beyond the batch."""
        chosen = range(self.batch)[index]
        pick = slice(chosen, chosen + 1)
        return Episode(self.inputs[:, pick], self.targets[:, pick], self.mask[:, pick], self.phase, self.phases)


def wrong_bits(episode: Episode, probabilities: Floats) -> NDArray[np.float64]:
    """How many asked bits of each sequence lie on the wrong side of 0.5: (batch,), whole numbers.

    `probabilities` is (step, batch, output), each the probability that the bit is 1; exactly 0.5 counts as 0.
    """
    wrong = (probabilities > 0.5) != (episode.targets > 0.5)
    return (wrong * episode.mask[..., None]).sum((0, 2), dtype=np.float64)


def loss_bits(episode: Episode, logits: Floats) -> NDArray[np.float64]:
    """The binary cross entropy of the asked bits of each sequence, in bits: (batch,), at least 0.

    Computed from the `logits`, (step, batch, output), since a probability rounded to 1 would make it infinite. NaN if
    an asked logit is NaN.
    """
    signed = np.where(episode.targets > 0.5, -1.0, 1.0) * logits.astype(np.float64)
    with np.errstate(invalid="ignore"):
        losses = np.logaddexp(0.0, signed)
    return np.where(episode.mask[..., None] > 0, losses, 0.0).sum((0, 2)) / np.log(2.0)
