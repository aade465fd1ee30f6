"""Files that somebody else's program wrote, read into inert data: one module a container.

`open_container(bytes)` recognises a file by its content and returns a `Container`, whose `root` is made of nothing but
dicts, lists, tuples, text, numbers, numpy arrays and `Record`s, with an `Unread` where something else was. Nothing in a
file is imported, called or executed, and nothing is written to disk. What cannot be read is refused with a
`CheckpointError` that says why. numpy is all that these modules need, so that a process that reads an upload starts
fast.

Read `container` for the result, `opening` for the kinds of files, `pickles` for why a pickle cannot do harm here.
"""

from ntm_core.checkpoints.containers.container import Container, ContainerLimits, Notes, Record, Unread
from ntm_core.checkpoints.containers.flattening import flatten
from ntm_core.checkpoints.containers.opening import open_container

__all__ = ["Container", "ContainerLimits", "Notes", "Record", "Unread", "flatten", "open_container"]
