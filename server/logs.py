"""What the log looks like: time, level and words, for the program's own lines as for uvicorn's."""

import copy
import logging.config

from uvicorn.config import LOGGING_CONFIG

_TIME = "%Y-%m-%d %H:%M:%S"
_OWN = ("ntm_scope", "ntm_core")


def configure(level: str) -> None:
    """Write to the standard error what is at least of this level, requests to the standard output."""
    config = copy.deepcopy(LOGGING_CONFIG)
    for form in config["formatters"].values():
        form |= {"fmt": f"%(asctime)s {form['fmt']}", "datefmt": _TIME}
    config["loggers"] |= {name: {"handlers": ["default"], "level": level.upper()} for name in _OWN}
    logging.config.dictConfig(config)
