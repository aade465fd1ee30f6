"""Text from a file, made fit for an error message."""

_SHOWN_CHARACTERS = 100


def shown(text: str) -> str:
    """The text in quotes, escaped, cut where it is too long to read."""
    quoted = ascii(text[: _SHOWN_CHARACTERS + 1])
    return quoted if len(quoted) <= _SHOWN_CHARACTERS else quoted[:_SHOWN_CHARACTERS] + "…'"
