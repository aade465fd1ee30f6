"""Statistics over sequences: never a single run alone."""

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field


class Spread(BaseModel):
    """The middle and the range of a quantity over sequences; null where it is nowhere a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")

    median: float | None
    mean: float | None
    lowest: float | None
    highest: float | None
    sequences: int = Field(description="Of how many sequences it is a number.")

    @classmethod
    def of(cls, values: ArrayLike) -> "Spread":
        """The statistics of one number a sequence; those that are NaN or infinite are left out."""
        every = np.asarray(values, np.float64)
        found = every[np.isfinite(every)]
        if not len(found):
            return cls(median=None, mean=None, lowest=None, highest=None, sequences=0)
        return cls(
            median=float(np.median(found)),
            mean=float(found.mean()),
            lowest=float(found.min()),
            highest=float(found.max()),
            sequences=len(found),
        )
