"""The circuit breaker: what counts, how long a provider is left alone, and the one request that tries it."""

from __future__ import annotations

import threading

import pytest

from core.errors import (
    AnswerCut,
    KeyRefused,
    LocalOnly,
    ProviderFailed,
    ProviderSetAside,
    ProviderUnreachable,
    RateLimitedFor,
    WorkbenchError,
)
from core.models.breaker import Breaker, State

URL, OTHER = "http://localhost:1/v1", "http://localhost:2/v1"
FAILED = ProviderFailed(provider="p", detail="d")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(failures=3, first_pause_s=10.0, longest_pause_s=35.0, clock=clock)


def ask(breaker: Breaker, error: BaseException | None = None, url: str | None = URL) -> None:
    """One request, which ends so."""
    with breaker.watching(url, name="p"):
        if error is not None:
            raise error


def fail(breaker: Breaker, times: int = 1, error: BaseException = FAILED) -> None:
    for _ in range(times):
        with pytest.raises(type(error)):
            ask(breaker, error)


def test_an_endpoint_that_fails_thrice_is_left_alone(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 2)
    assert breaker.state(URL) == State("closed", 2)
    fail(breaker)
    assert breaker.state(URL) == State("open", 3, 10.0)
    clock.now += 2.5
    with pytest.raises(ProviderSetAside) as refused:
        ask(breaker)
    assert refused.value.values == {"provider": "p", "seconds": 8}
    assert breaker.state(OTHER) == State()
    ask(breaker, url=OTHER)


def test_one_request_tries_it_and_all_is_forgotten_when_it_succeeds(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 10.0
    assert breaker.state(URL) == State("open", 3, 0.0)
    with breaker.watching(URL, name="p"):
        assert breaker.state(URL).name == "trial"
        with pytest.raises(ProviderSetAside):
            ask(breaker)
    assert breaker.state(URL) == State()
    fail(breaker, 2)
    ask(breaker)


def test_each_failed_trial_doubles_the_pause_up_to_a_limit(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    pauses = []
    for _ in range(4):
        pauses.append(breaker.state(URL).retry_in_s)
        clock.now += pauses[-1]
        fail(breaker)
    assert pauses == [10.0, 20.0, 35.0, 35.0]
    assert breaker.state(URL).failures == 7


def test_a_success_between_makes_it_no_row(breaker: Breaker) -> None:
    fail(breaker, 2)
    ask(breaker)
    fail(breaker, 2)
    assert breaker.state(URL) == State("closed", 2)


@pytest.mark.parametrize(
    "error",
    [
        ProviderUnreachable(provider="p", address="a", detail="d"),
        AnswerCut(provider="p", detail="d"),
        RateLimitedFor(provider="p", detail="d", seconds=3),
    ],
)
def test_what_is_the_provider_s_fault_counts(breaker: Breaker, error: WorkbenchError) -> None:
    fail(breaker, 3, error)
    assert breaker.state(URL).name == "open"


@pytest.mark.parametrize(
    "error",
    [KeyRefused(provider="p", detail="d"), LocalOnly(provider="p"), GeneratorExit(), KeyboardInterrupt(), ValueError()],
)
def test_what_is_not_changes_nothing(breaker: Breaker, clock: Clock, error: BaseException) -> None:
    fail(breaker, 2)
    fail(breaker, 9, error)
    assert breaker.state(URL) == State("closed", 2)
    fail(breaker)
    clock.now += 10.0
    fail(breaker, 1, error)
    assert breaker.state(URL) == State("open", 3, 0.0), "the next may try"
    ask(breaker)
    assert breaker.state(URL) == State()


def test_requests_that_fail_together_lengthen_the_pause_once(breaker: Breaker) -> None:
    together = [breaker.watching(URL, name="p") for _ in range(6)]
    for one in together:
        one.__enter__()
    for one in together:
        assert not one.__exit__(ProviderFailed, ProviderFailed(provider="p", detail="d"), None), "it is raised on"
    assert breaker.state(URL) == State("open", 6, 10.0)


def test_no_endpoint_is_never_left_alone(breaker: Breaker) -> None:
    for _ in range(5):
        with pytest.raises(ProviderFailed):
            ask(breaker, FAILED, url=None)
    ask(breaker, url=None)


def test_a_person_can_have_it_tried_at_once(breaker: Breaker) -> None:
    fail(breaker, 3)
    breaker.forget(URL)
    ask(breaker)
    breaker.forget(OTHER)


def test_of_many_at_once_one_tries(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 10.0
    begun, gate, refused = [], threading.Event(), []

    def one() -> None:
        try:
            with breaker.watching(URL, name="p"):
                begun.append(1)
                gate.wait(10)
        except ProviderSetAside:
            refused.append(1)
        if len(refused) == 7:
            gate.set()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (len(begun), len(refused)) == (1, 7)
    assert breaker.state(URL) == State()
