"""Traces kept in memory: which are found, and which are forgotten first."""

from ntm_core.interventions import Intervention
from ntm_core.recording import record
from ntm_core.tasks import parse_task
from ntm_core.trace import Trace
from server.stores.recorded import RunKey, Start, TraceCache
from tests.server.conftest import small_machine


def a_trace(length: int = 3) -> Trace:
    return record(small_machine(), parse_task({"name": "copy", "bits": 2, "lengths": [length, length]}).episodes(0))


TRACE = a_trace()
BYTES = TRACE.episode.nbytes + TRACE.initial.nbytes + TRACE.records.nbytes


def key(family: str = "a", *starts: int) -> RunKey:
    """A run in which something is changed from each of these steps on."""
    return RunKey(
        family,
        tuple(Intervention(quantity="key", operation="set", value=0.0, steps=(start, 7)) for start in starts),
    )


def test_a_trace_is_found_by_its_key_alone() -> None:
    cache = TraceCache(BYTES)
    assert cache.get(key()) is None
    cache.put(key(), TRACE)
    assert cache.get(key()) is TRACE
    assert cache.get(key("b")) is None
    assert cache.get(key("a", 3)) is None


def test_the_longest_start_is_found_within_a_family() -> None:
    cache = TraceCache(10 * BYTES)
    assert cache.longest_start(key("a", 3)) is None
    others = {start: a_trace() for start in (2, 5)}
    cache.put(key("b"), a_trace())
    for start, trace in others.items():
        cache.put(key("a", start), trace)
    cache.keep_frames(key("a", 5), [(7, b"steps")])

    def found(*starts: int) -> tuple[Trace, int, tuple[tuple[int, bytes], ...]]:
        start = cache.longest_start(key("a", *starts))
        assert isinstance(start, Start)
        return start.trace, start.steps, start.frames

    assert found(5) == (others[5], 7, ((7, b"steps"),))
    assert found(4) == (others[5], 4, ((7, b"steps"),))
    assert found(2, 5) == (others[2], 5, ())
    assert cache.longest_start(key("a", 0)) is None
    assert cache.longest_start(key("c", 5)) is None


def test_what_was_used_longest_ago_makes_room() -> None:
    cache = TraceCache(2 * BYTES)
    for name in ("a", "b"):
        cache.put(key(name), TRACE)
    cache.get(key("a"))
    cache.put(key("c"), TRACE)
    assert [cache.get(key(name)) is TRACE for name in ("a", "b", "c")] == [True, False, True]
    assert [cache.knows(name) for name in ("a", "b", "c")] == [True, False, True]
    assert cache.longest_start(key("b", 3)) is None


def test_a_trace_that_never_fits_is_not_kept_and_drives_out_none() -> None:
    cache = TraceCache(BYTES)
    cache.put(key("a"), TRACE)
    cache.put(key("b"), a_trace(9))
    assert cache.get(key("a")) is TRACE
    assert cache.get(key("b")) is None
    TraceCache(0).put(key("a"), TRACE)


def test_frames_stay_as_long_as_their_trace() -> None:
    cache = TraceCache(2 * BYTES)
    cache.keep_frames(key("a"), [(7, b"too early")])
    assert cache.frames(key("a")) == ()
    cache.put(key("a"), TRACE)
    cache.keep_frames(key("a"), [(7, b"steps")])
    assert cache.frames(key("a")) == ((7, b"steps"),)
    cache.put(key("b"), TRACE)
    assert cache.get(key("a")) is None, "both traces and the frames are more than the limit"
    assert cache.frames(key("a")) == ()
    cache.put(key("c"), TRACE)
    assert cache.get(key("b")) is TRACE, "what was forgotten takes no room"
