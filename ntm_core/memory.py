"""The memory matrix M_t, equations 6-8: reading it and writing to it.

`location` has N entries, `word` W. Writing is a chain of single-rounded elementwise operations, in a fixed order,
so that whoever holds M_0 and each step's weighting, erase and add vectors rebuilds every M_t bit for bit.
"""

from jaxtyping import Float
from torch import Tensor

from ntm_core.config import WriteOrder


def read_vectors(
    memory: Float[Tensor, "batch location word"], weighting: Float[Tensor, "batch read_head location"]
) -> Float[Tensor, "batch read_head word"]:
    """r_t of each read head: the memory rows, weighted and summed (eq. 6)."""
    return weighting @ memory


def erased_memory(
    memory: Float[Tensor, "batch location word"],
    weighting: Float[Tensor, "batch location"],
    erase_vector: Float[Tensor, "batch word"],
) -> Float[Tensor, "batch location word"]:
    """M~: each cell kept by the fraction 1 - w(i) e (eq. 7)."""
    return memory * (1 - weighting.unsqueeze(-1) * erase_vector.unsqueeze(-2))


def added_memory(
    memory: Float[Tensor, "batch location word"],
    weighting: Float[Tensor, "batch location"],
    add_vector: Float[Tensor, "batch word"],
) -> Float[Tensor, "batch location word"]:
    """M: each cell increased by w(i) a (eq. 8)."""
    return memory + weighting.unsqueeze(-1) * add_vector.unsqueeze(-2)


def written_memory(
    memory: Float[Tensor, "batch location word"],
    weighting: Float[Tensor, "batch write_head location"],
    erase_vector: Float[Tensor, "batch write_head word"],
    add_vector: Float[Tensor, "batch write_head word"],
    order: WriteOrder = "erases_then_adds",
) -> Float[Tensor, "batch location word"]:
    """M_t after every write head has written to M_{t-1} (eq. 7 and 8), in the stated order."""
    writes = list(zip(weighting.unbind(-2), erase_vector.unbind(-2), add_vector.unbind(-2), strict=True))
    if order == "one_by_one":
        for where, erase, add in writes:
            memory = added_memory(erased_memory(memory, where, erase), where, add)
        return memory
    for where, erase, _ in writes:
        memory = erased_memory(memory, where, erase)
    for where, _, add in writes:
        memory = added_memory(memory, where, add)
    return memory
