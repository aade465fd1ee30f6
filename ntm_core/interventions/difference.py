"""Where two lists of interventions part: until then, runs that start alike are alike bit for bit."""

from collections.abc import Sequence

from ntm_core.interventions.intervention import Intervention


def first_difference(one: Sequence[Intervention], other: Sequence[Intervention], steps: int) -> int:
    """The first step of a run of so many at which the two lists do different things; `steps` if there is none.

    What they do is compared as it is written: two interventions that say the same in different ways do differ.
    """
    bounds = {bound for asked in (*one, *other) if asked.steps for bound in asked.steps}
    for step in sorted({0, *bounds}):
        if step >= steps:
            break
        if _acting(one, step) != _acting(other, step):
            return step
    return steps


def _acting(interventions: Sequence[Intervention], step: int) -> list[Intervention]:
    """The interventions that act in this step, without the steps in which they do."""
    return [asked.model_copy(update={"steps": None}) for asked in interventions if asked.acts_at(step)]
