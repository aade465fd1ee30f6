"""What a machine has learnt to do with its heads, measured from one trace: the marks on a training run.

* Diagonal: a read head goes through the memory one location a step, always the same way. Measured as the share of the
  asked steps, the first one left out, at which it does; a run has it from the first share of at least `DIAGONAL`.
* Content jump: a head looks somewhere else because of what is there. Counted are the content jumps, as
  `ntm_core.analysis.operations` tells them, that go beyond the reach of a shift; a run has it from the first such step.
"""

import numpy as np

from ntm_core.analysis.focus import displacement, focus, peaked
from ntm_core.analysis.operations import CONTENT_JUMP, operations_of
from ntm_core.trace import Trace

DIAGONAL = 0.8


def diagonal(trace: Trace) -> float:
    """The largest share, over read heads and directions, of asked steps at which the head moves on by one location.

    In [0, 1]; 0 if fewer than two steps are asked, or there is but one location. A step counts if the weighting by
    which it reads and that of the step before are peaked, at locations that are neighbours on the circle.
    """
    reads = [index for index, head in enumerate(trace.header.heads) if head.kind == "read"]
    weighting = trace.acting_weighting[:, reads]
    asked = np.flatnonzero(trace["mask"] > 0)[1:]
    asked = asked[asked > 0]
    size, foci, sharp = weighting.shape[-1], focus(weighting), peaked(weighting)
    if len(asked) == 0 or size == 1:
        return 0.0
    moved = displacement(foci[asked - 1], foci[asked], size) % size
    sharp = sharp[asked] & sharp[asked - 1]
    ways = [moved == way % size for way in (1, -1)]
    return float(max((sharp & way).mean(0).max() for way in ways))


def content_jumps(trace: Trace) -> int:
    """At how many steps, over all heads, a head looks beyond the reach of its shift because of what is there."""
    done = operations_of(trace)
    far = np.abs(done.displacement) > max(trace.header.shifts)
    return int(((done.operation == CONTENT_JUMP) & far).sum())
