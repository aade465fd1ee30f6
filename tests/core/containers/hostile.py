"""The hostile corpus: files that must be refused, one of each kind."""

from ntm_core.checkpoints.containers import ContainerLimits
from tests.core.containers import hostile_archives, hostile_files, hostile_pickles, hostile_tensors
from tests.core.containers.builders import Corpus

CORPUS: Corpus = {
    **hostile_pickles.calls(),
    **hostile_pickles.wrong_calls(),
    **hostile_pickles.code(),
    **hostile_pickles.damage(),
    **hostile_pickles.growth(),
    **hostile_pickles.keys(),
    **hostile_tensors.tensors(),
    **hostile_archives.zips(),
    **hostile_archives.legacies(),
    **hostile_files.arrays(),
    **hostile_files.safetensors_files(),
    **hostile_files.others(),
}
LIMITS = ContainerLimits(max_nodes=1 << 14, max_characters=1 << 22, max_operations=1 << 16)
"""Smaller than usual, so that what is stopped by a limit is stopped soon: the checks at every call take their time."""
