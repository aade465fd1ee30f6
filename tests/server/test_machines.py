from ntm_core.machine import Machine
from server.stores.machines import MachineCache
from tests.server.conftest import small_machine


def refuse() -> Machine:
    raise AssertionError("the machine is kept: it must not be loaded again")


def test_a_machine_is_loaded_once() -> None:
    cache = MachineCache(1)
    machine = small_machine()
    assert cache.get(("a", 0), lambda: machine) is machine
    assert cache.get(("a", 0), refuse) is machine


def test_the_machine_that_was_used_longest_ago_goes_first() -> None:
    cache = MachineCache(2)
    first, second, third = (small_machine() for _ in range(3))
    cache.get(("first", 0), lambda: first)
    cache.get(("second", 0), lambda: second)
    cache.get(("first", 0), refuse)
    cache.get(("third", 0), lambda: third)
    assert cache.get(("first", 0), refuse) is first
    again = small_machine()
    assert cache.get(("second", 0), lambda: again) is again


def test_a_machine_can_be_forgotten() -> None:
    cache = MachineCache(2)
    cache.get(("a", 0), small_machine)
    cache.forget("a")
    cache.forget("never there")
    machine = small_machine()
    assert cache.get(("a", 0), lambda: machine) is machine
