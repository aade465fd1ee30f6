"""The loss that training minimises."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def sequence_loss(
    logits: Float[Tensor, "step batch output"],
    targets: Float[Tensor, "step batch output"],
    mask: Float[Tensor, "step batch"],
) -> Float[Tensor, ""]:
    """The binary cross entropy, in nats, of the bits at the steps whose mask is 1: their mean; NaN if there are none.

    ValueError for other shapes, which PyTorch would stretch to fit, and count wrongly, and for targets that are no
    floats, such as truth values.
    """
    if not targets.is_floating_point():
        kind = str(targets.dtype).removeprefix("torch.")
        raise ValueError(f"the targets are {kind}: they must be floats, as `targets.float()` makes them")
    if targets.shape != logits.shape or mask.shape != logits.shape[:2]:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in (logits, targets, mask))
        raise ValueError(f"logits, targets and mask have the shapes {shapes}: a mask must be (step, batch)")
    total = functional.binary_cross_entropy_with_logits(logits, targets, weight=mask.unsqueeze(-1), reduction="sum")
    return total / (mask.sum() * targets.shape[-1])
