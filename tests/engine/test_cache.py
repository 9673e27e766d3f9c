"""What is kept, and what makes room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from nightflash.engine.cache import Cache


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_least_recently_used_makes_room() -> None:
    cache: Cache[str, int] = Cache(10)
    assert cache.put("a", 1, 4)
    assert cache.put("b", 2, 4)
    assert cache.get("a") == 1
    assert cache.put("c", 3, 4)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


def test_what_is_too_large_is_not_kept_and_takes_nothing_with_it() -> None:
    cache: Cache[str, int] = Cache(10)
    cache.put("a", 1, 4)
    assert not cache.put("b", 2, 11)
    assert cache.get("a") == 1


def test_what_is_not_used_for_too_long_is_forgotten() -> None:
    clock = Clock()
    cache: Cache[str, int] = Cache(10, seconds=60, clock=clock)
    cache.put("old", 1, 1)
    cache.put("used", 2, 1)
    clock.now = 50
    cache.get("used")
    clock.now = 70
    cache.expire()
    assert (cache.get("old"), cache.get("used"), cache.bytes) == (None, 2, 1)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12), st.booleans())))
def test_the_limit_holds_and_the_bytes_are_counted(steps: list[tuple[int, int, bool]]) -> None:
    cache: Cache[int, int] = Cache(20)
    sizes: dict[int, int] = {}
    for key, size, drop in steps:
        if drop:
            cache.drop(key)
        elif cache.put(key, size, size):
            sizes[key] = size
            assert cache.get(key) == size
        held = [key for key in sizes if cache.get(key) is not None]
        assert cache.bytes == sum(sizes[key] for key in held if cache.get(key) is not None)
        assert cache.bytes <= 20
