"""What a stored file says about itself, held against what the lists can carry: each entry is told with all others."""

from pydantic_core import PydanticSerializationError, to_json

MAX_ABOUT_BYTES = 256 * 1024
"""What an upload may say about itself, as JSON: the lists carry it."""

MAX_DEPTH = 32


def why_not_shown(value: object) -> str | None:
    """Why JSON data cannot stand in a list, as the end of a sentence about it; None if it can."""
    if _depth(value, MAX_DEPTH) > MAX_DEPTH:
        return f"is nested more than {MAX_DEPTH} deep: that is the limit"
    try:
        size = len(to_json(value))
    except PydanticSerializationError:
        return "holds text that is no Unicode, such as half of a surrogate pair: it cannot be shown"
    if size > MAX_ABOUT_BYTES:
        return f"has {size} bytes: the limit is {MAX_ABOUT_BYTES}"
    return None


def _depth(value: object, most: int) -> int:
    """How deep lists and objects are nested in JSON data, counted up to one more than `most`."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return 1 + max((_depth(item, most - 1) for item in inner), default=0) if most >= 0 else 1
