"""What can go wrong in the core: each error names the offending value and the rule it breaks.

A server translates `code`, which is stable, into a status code; a person reads the message.
"""


class NtmError(ValueError):
    """A refusal by the core; `code` is stable, the message names the value and the rule."""

    code = "ntm_error"


class ConfigError(NtmError):
    """A machine that cannot be built as asked."""

    code = "bad_config"


class TaskError(NtmError):
    """An episode that a task cannot make, or rows that do not follow a task's layout."""

    code = "bad_task"


class CheckpointError(NtmError):
    """A file that is not a checkpoint this version can open."""

    code = "bad_checkpoint"


class TraceError(NtmError):
    """A trace, or a trace file, that breaks the trace schema."""

    code = "bad_trace"


class InterventionError(NtmError):
    """An intervention that cannot be made on this machine, or that leaves a constraint."""

    code = "bad_intervention"


class TrainingError(NtmError):
    """A training run that cannot go on."""

    code = "bad_training"


class InUseError(NtmError):
    """A directory in which another process is at work."""

    code = "directory_in_use"


class AnalysisError(NtmError):
    """What cannot be measured or compared as asked."""

    code = "bad_analysis"
