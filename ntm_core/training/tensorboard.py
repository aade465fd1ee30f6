"""The measurements of a run as TensorBoard reads them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ntm_core.errors import TrainingError
from ntm_core.training.metrics import MetricRow
from ntm_core.training.session import Progress

SCALARS = ("loss_bits", "wrong_bits", "metric", "diagonal", "content_jumps", "gradient_norm", "skipped_updates")
"""What is written of a row, against the number of sequences."""


def scalar_report(directory: Path) -> Callable[[Progress], None]:
    """A `report` for `train` that writes each new measurement into the directory. TrainingError without TensorBoard."""
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  # it imports much, and may be missing
    except ImportError as error:
        raise TrainingError(f"--tensorboard needs the package tensorboard: pip install tensorboard ({error})") from None
    writer: Any = SummaryWriter(str(directory))
    written: MetricRow | None = None

    def report(progress: Progress) -> None:
        nonlocal written
        row = progress.row
        if row is None or row == written:
            return
        written = row
        for name in SCALARS:
            value = getattr(row, name)
            if value is not None:
                writer.add_scalar(name, value, row.sequences)
        writer.flush()

    return report
