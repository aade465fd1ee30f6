from ntm_core.machine import Machine
from server.stores.machines import MachineCache
from tests.server.conftest import small_machine


def refuse() -> Machine:
    raise AssertionError("the machine is kept: it must not be loaded again")


def test_a_machine_is_loaded_once() -> None:
    cache = MachineCache(1)
    machine = small_machine()
    assert cache.get("a", lambda: machine) is machine
    assert cache.get("a", refuse) is machine


def test_the_machine_that_was_used_longest_ago_goes_first() -> None:
    cache = MachineCache(2)
    first, second, third = (small_machine() for _ in range(3))
    cache.get("first", lambda: first)
    cache.get("second", lambda: second)
    cache.get("first", refuse)
    cache.get("third", lambda: third)
    assert cache.get("first", refuse) is first
    again = small_machine()
    assert cache.get("second", lambda: again) is again


def test_a_machine_can_be_forgotten() -> None:
    cache = MachineCache(2)
    cache.get("a", small_machine)
    cache.forget("a")
    cache.forget("never there")
    machine = small_machine()
    assert cache.get("a", lambda: machine) is machine
