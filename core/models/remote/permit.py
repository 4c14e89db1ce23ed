"""What an owner allows a remote model to do: to be asked at all, and to cost so much in a month.

`Accounts` has every owner's decisions and what their requests cost, those that are coming included; the permit it
gives goes with an endpoint and is asked at the start of every request, wherever that is made. Every request that was
answered, whole or not, is written down when it ends, so that none is left out of the month's sum. Thread-safe.
"""

from __future__ import annotations

import datetime
import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from core import metrics
from core.errors import N_, BudgetSpent, LocalOnly, PriceUnknown, SettingInvalid, WorkbenchError
from core.events import Cost, Event, Finished, Reasoning, Text, ToolCall, Usage
from core.models.base import ModelInfo
from core.models.remote import prices

LOCAL_ONLY = "local only"
BUDGET = "budget of {}"
"""Names of preferences."""

_log = logging.getLogger(__name__)


class Budget(msgspec.Struct, frozen=True):
    """The most that a provider may cost in a calendar month. `currency`: ISO 4217."""

    amount: float
    currency: str = "USD"


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What requests cost together; None where no price was known. `unknown`: how many of the answers that holds for."""

    amount: float | None
    answers: int
    unknown: int = 0


class Preferences(Protocol):
    """What an owner decided, by name. core/store/providers.py keeps them."""

    def preference(self, owner: str, name: str) -> Any: ...

    def set_preference(self, owner: str, name: str, value: Any) -> None: ...


class Ledger(Protocol):
    """What requests cost. core/store/runs.py keeps it."""

    def pay(self, owner: str, *, model_id: str, provider: str, usage: Usage, cost: Cost | None) -> None: ...

    def spent(self, owner: str, *, since: float | None = None) -> dict[tuple[str, str | None], Spent]: ...


class Spending:
    """One request, and what it costs while its answer comes. This one keeps no account."""

    def take(self, event: Event) -> None:
        """To be called with each event, before it is handed on."""

    def check(self) -> None:
        """To be called when an event was handed on. Raises `BudgetSpent` when no more may come."""

    def end(self) -> None:
        """To be called once, however the request ended."""


class Permit:
    """Allows everything and keeps no account: for who has decided nothing, such as the command line."""

    def reach(self, provider: str, *, away: bool) -> None:
        """Raises `LocalOnly` where a provider that is not on this machine must not be asked."""

    def begin(self, info: ModelInfo, *, asked: int, away: bool) -> Spending:
        """A request of `asked` characters. Raises `LocalOnly`, `BudgetSpent` or `PriceUnknown`; it is not sent then."""
        return Spending()


ANYTHING = Permit()


class Accounts:
    """The decisions and the spending of all owners. `now`: seconds since 1970."""

    def __init__(self, preferences: Preferences, ledger: Ledger, *, now: Callable[[], float] = time.time) -> None:
        self._preferences = preferences
        self._ledger = ledger
        self._now = now
        self._lock = threading.Lock()
        self._coming: dict[tuple[str, str, str], _Account] = {}

    def permit(self, owner: str) -> Permit:
        """The permit of this owner; it holds as their decisions stand when it is asked."""
        return _Permit(self, owner)

    def local_only(self, owner: str) -> bool:
        """Whether nothing may leave this machine."""
        return self._preferences.preference(owner, LOCAL_ONLY) is True

    def set_local_only(self, owner: str, on: bool) -> None:
        """From now on: an answer that is coming goes on."""
        self._preferences.set_preference(owner, LOCAL_ONLY, on or None)

    def budget(self, owner: str, provider: str) -> Budget | None:
        """The budget of a provider; None where there is none."""
        kept = self._preferences.preference(owner, BUDGET.format(provider))
        try:
            return msgspec.convert(kept, Budget) if kept is not None else None
        except msgspec.ValidationError:
            return None

    def set_budget(self, owner: str, provider: str, budget: Budget | None) -> None:
        """None lifts it. Raises `SettingInvalid` for an amount that is none."""
        if budget is not None and not (0 <= budget.amount < math.inf):
            raise SettingInvalid(setting=N_("The budget"), value=str(budget.amount), allowed=N_("0 or more"))
        self._preferences.set_preference(owner, BUDGET.format(provider), budget)

    def spent(self, owner: str, *, this_month: bool = False) -> dict[tuple[str, str | None], Spent]:
        """By provider and currency; the currency is None for the answers whose price is not known."""
        return self._ledger.spent(owner, since=_month_began(self._now()) if this_month else None)

    def begin(self, owner: str, info: ModelInfo, *, asked: int, away: bool) -> Spending:
        """See `Permit.begin`."""
        budget = self.budget(owner, info.provider)
        if budget is None:
            return _Spending(self._ledger, owner, info, asked=asked, away=away)
        if info.price is None or info.price.currency != budget.currency:
            raise PriceUnknown(model=info.name, provider=info.provider)
        with self._lock:
            account = self._coming.setdefault((owner, info.provider, budget.currency), _Account())
        spending = _Spending(self._ledger, owner, info, asked=asked, away=away, account=account, limit=budget)
        account.open(spending, paid=lambda: self._paid(owner, info.provider, budget.currency))
        return spending

    def _paid(self, owner: str, provider: str, currency: str) -> float:
        known = self.spent(owner, this_month=True).get((provider, currency))
        return known.amount or 0.0 if known else 0.0


class _Permit(Permit):
    def __init__(self, accounts: Accounts, owner: str) -> None:
        self._accounts = accounts
        self._owner = owner

    def reach(self, provider: str, *, away: bool) -> None:
        if away and self._accounts.local_only(self._owner):
            raise LocalOnly(provider=provider)

    def begin(self, info: ModelInfo, *, asked: int, away: bool) -> Spending:
        self.reach(info.provider, away=away)
        return self._accounts.begin(self._owner, info, asked=asked, away=away)


class _Account:
    """What one owner's requests to one provider cost this month: those that have ended, and those that are coming.

    The lock is held while the ledger is read and written too: what ends meanwhile is counted once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paid = 0.0
        self._coming: set[_Spending] = set()

    def open(self, spending: _Spending, *, paid: Callable[[], float]) -> None:
        """Lets a request begin, if there is enough left for its prompt. `paid`: asks the ledger."""
        with self._lock:
            self._paid = paid()
            spent = self._sum()
            spending.compare(spent + spending.amount, nothing_left=spent >= spending.most)
            self._coming.add(spending)

    def check(self, spending: _Spending) -> None:
        """While an answer comes."""
        with self._lock:
            spending.compare(self._sum())

    def close(self, spending: _Spending, pay: Callable[[], None]) -> None:
        """What it cost goes over to what is paid."""
        with self._lock:
            pay()
            self._coming.discard(spending)
            self._paid += spending.amount

    def _sum(self) -> float:
        return self._paid + sum(one.amount for one in self._coming)


class _Spending(Spending):
    """`amount`: what it costs so far by the list price, estimated until the provider has counted."""

    def __init__(
        self,
        ledger: Ledger,
        owner: str,
        info: ModelInfo,
        *,
        asked: int,
        away: bool,
        account: _Account | None = None,
        limit: Budget | None = None,
    ) -> None:
        self._ledger = ledger
        self._owner = owner
        self._info = info
        self._away = away
        self._account = account
        self._limit = limit
        self._asked = asked
        self._written = 0
        self._ended = False
        self.amount = self._estimate()

    @property
    def most(self) -> float:
        """The month's budget."""
        return self._limit.amount if self._limit is not None else math.inf

    def take(self, event: Event) -> None:
        if isinstance(event, Finished):
            self._settle(event.usage, event.cost)
        elif (written := _characters(event)) and not self._ended:
            self._written += written
            self.amount = self._estimate()

    def check(self) -> None:
        if self._account is not None and not self._ended:
            self._account.check(self)

    def end(self) -> None:
        if self._written:
            self._settle(self._usage(), prices.cost(self._info.price, self._usage()))
        else:
            self._settle(None, None)  # refused, or given up before a word of it came

    def compare(self, spent: float, *, nothing_left: bool = False) -> None:
        """Raises `BudgetSpent` when `spent` is more than the budget."""
        if self._limit is not None and (nothing_left or spent > self.most):
            raise BudgetSpent(provider=self._info.provider, amount=f"{self.most:g}", currency=self._limit.currency)

    def _settle(self, usage: Usage | None, cost: Cost | None) -> None:
        if self._ended:
            return
        self._ended = True
        self.amount = cost.amount if cost is not None else 0.0
        if self._account is None:
            self._pay(usage, cost)
        else:
            self._account.close(self, lambda: self._pay(usage, cost))

    def _pay(self, usage: Usage | None, cost: Cost | None) -> None:
        if usage is None or not (self._away or cost is not None):
            return
        info = self._info
        try:
            self._ledger.pay(self._owner, model_id=info.id, provider=info.provider, usage=usage, cost=cost)
        except WorkbenchError:
            _log.exception("What a request cost could not be written down")

    def _estimate(self) -> float:
        cost = prices.cost(self._info.price, self._usage())
        return cost.amount if cost is not None else 0.0

    def _usage(self) -> Usage:
        return Usage(
            prompt_tokens=metrics.estimated_tokens(self._asked),
            generated_tokens=metrics.estimated_tokens(self._written),
            estimated=True,
        )


def _characters(event: Event) -> int:
    if isinstance(event, Text | Reasoning):
        return len(event.text)
    return len(event.arguments) if isinstance(event, ToolCall) else 0


def _month_began(now: float) -> float:
    """When the calendar month began, where this machine stands."""
    moment = datetime.datetime.fromtimestamp(now).astimezone()
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
