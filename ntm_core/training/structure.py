"""What a machine has learnt to do with its heads, measured from one trace: the marks on a training run.

* Diagonal: a read head goes through the memory one location a step, always the same way. Measured as the share of the
  asked steps, the first one left out, at which it does; a run has it from the first share of at least `DIAGONAL`.
* Content jump: a head looks somewhere else because of what is there. Counted are the steps at which the gate is at
  least ½ and content and final weighting agree, with at least ½, on one location beyond the reach of a shift; a run
  has it from the first such step.
"""

import numpy as np
from numpy.typing import NDArray

from ntm_core.trace import Trace

DIAGONAL = 0.8
_SHARP = 0.5


def diagonal(trace: Trace) -> float:
    """The largest share, over read heads and directions, of asked steps at which the head moves on by one location.

    In [0, 1]; 0 if fewer than two steps are asked. A step counts if both its weighting and the one before are at least
    ½ at their peaks, which are neighbours on the circle of locations.
    """
    reads = [index for index, head in enumerate(trace.header.heads) if head.kind == "read"]
    weighting = trace["weighting"][:, reads]
    asked = np.flatnonzero(trace["mask"] > 0)[1:]
    asked = asked[asked > 0]
    if len(asked) == 0:
        return 0.0
    moved = (weighting.argmax(-1)[asked] - weighting.argmax(-1)[asked - 1]) % weighting.shape[-1]
    sharp = np.minimum(weighting.max(-1)[asked], weighting.max(-1)[asked - 1]) >= _SHARP
    ways = [moved == way % weighting.shape[-1] for way in (1, -1)]
    return float(max((sharp & way).mean(0).max() for way in ways))


def content_jumps(trace: Trace) -> int:
    """At how many steps, over all heads, a head looks beyond the reach of its shift because of what is there."""
    weighting, content = trace["weighting"], trace["content_weighting"]
    before = np.concatenate([trace["initial_weighting"][None], weighting[:-1]])
    there, was, size = weighting.argmax(-1), before.argmax(-1), weighting.shape[-1]
    distance: NDArray[np.int64] = np.minimum((there - was) % size, (was - there) % size)
    by_content = (trace["interpolation_gate"] >= _SHARP) & (content.argmax(-1) == there)
    sharp = np.minimum(weighting.max(-1), content.max(-1)) >= _SHARP
    return int((by_content & sharp & (distance > max(trace.header.shifts))).sum())
