"""Cores dealt out to those who work."""

from __future__ import annotations

import pytest

from core.models.local.cores import Cores


class Worker:
    """Notes what it was given."""

    def __init__(self) -> None:
        self.cores: list[int] = []

    def use_cores(self, number: int) -> None:
        self.cores.append(number)


def test_one_alone_has_all_cores_and_two_share_them() -> None:
    cores, a, b = Cores(8), Worker(), Worker()
    with cores.working(a):
        assert a.cores == [8]
        with cores.working(b):
            assert (a.cores[-1], b.cores[-1]) == (4, 4)
        assert a.cores[-1] == 8


def test_several_answers_of_one_model_count_once() -> None:
    cores, a, b = Cores(4), Worker(), Worker()
    with cores.working(a), cores.working(a), cores.working(b):
        assert (a.cores[-1], b.cores[-1]) == (2, 2)
    assert a.cores == [4, 2, 4]


@pytest.mark.parametrize(("count", "workers"), [(2, 3), (1, 2), (4, 5)])
def test_nobody_is_left_without_a_core(count: int, workers: int) -> None:
    cores, everybody = Cores(count), [Worker() for _ in range(workers)]

    def all_work(rest: list[Worker]) -> None:
        if not rest:
            assert all(one.cores[-1] == 1 for one in everybody)
            return
        with cores.working(rest[0]):
            all_work(rest[1:])

    all_work(everybody)


def test_who_failed_gives_its_cores_back() -> None:
    cores, a, b = Cores(2), Worker(), Worker()
    with cores.working(a):
        with pytest.raises(RuntimeError), cores.working(b):
            raise RuntimeError
        assert a.cores[-1] == 2


def test_busy_are_all_answers_also_two_of_one_model() -> None:
    cores, a, b = Cores(4), Worker(), Worker()
    assert cores.busy == 0
    with cores.working(a), cores.working(a), cores.working(b):
        assert cores.busy == 3
    assert cores.busy == 0
