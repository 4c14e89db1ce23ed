"""When a route goes on to its next model, and how it says so. Errors in, an event out.

What is the question's own fault (it is empty, its schema is none) is nobody else's to answer, and what the store cannot
keep is no model's: those end the answer. All else passes on.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from core.errors import (
    N_,
    BudgetSpent,
    ContextOverflow,
    CreditUsedUp,
    KeyMissing,
    KeyRefused,
    LocalOnly,
    ModelError,
    ModelNotFound,
    ModelTooLarge,
    NotPermitted,
    NotSupported,
    PriceUnknown,
    ProviderError,
    ProviderSetAside,
    ProviderTimedOut,
    ProviderUnreachable,
    ProviderUntrusted,
    RateLimited,
    RequestRejected,
    TemplateInvalid,
    WorkbenchError,
)
from core.events import Routed
from core.models.base import ModelInfo
from core.models.choices import Choice

PASSES_ON = (ModelError, ProviderError, NotPermitted, ContextOverflow, NotSupported, TemplateInvalid)
"""Errors after which the next model is asked."""

_WHY: dict[type[BaseException], str] = {
    ContextOverflow: N_("the conversation is too long for it"),
    ModelNotFound: N_("it is not there"),
    ModelTooLarge: N_("there is too little memory for it"),
    ProviderUnreachable: N_("it cannot be reached"),
    ProviderUntrusted: N_("there is no secure connection to it"),
    ProviderTimedOut: N_("it said nothing for too long"),
    RateLimited: N_("it takes no more requests for now"),
    CreditUsedUp: N_("it wants to be paid first"),
    KeyMissing: N_("it wants a key"),
    KeyRefused: N_("it did not accept the key"),
    ProviderSetAside: N_("it has failed several times in a row"),
    RequestRejected: N_("it does not take this request"),
    NotSupported: N_("it does not take this request"),
    LocalOnly: N_("nothing may leave this machine"),
    BudgetSpent: N_("its budget is spent"),
    PriceUnknown: N_("its price is unknown, and it has a budget"),
    WorkbenchError: N_("it failed"),
}
"""By class of error, or of a class above it."""


class Failure(msgspec.Struct, frozen=True):
    """A model that was to answer, and why it did not. `trimmable`: it would, if something were left out for it."""

    choice: Choice
    model_name: str
    error: WorkbenchError
    trimmable: bool = False


def routed(choice: Choice, info: ModelInfo, failures: Sequence[Failure]) -> Routed:
    """Says that this model was chosen, by its own reason or because those before it failed."""
    if not failures:
        return Routed(info.id, info.name, choice.reason, choice.values)
    names = dict.fromkeys(failure.model_name for failure in failures)
    values = {"before": ", ".join(names), "why": _why(failures[-1].error)}
    if choice.trimmed:
        reason = N_("{before} did not answer ({why}), so a part of the conversation is left out")
    elif len(names) == 1:
        reason = N_("{before} did not answer: {why}")
    else:
        reason = N_("{before} did not answer; the last of them: {why}")
    return Routed(info.id, info.name, reason, values)


def _why(error: WorkbenchError) -> str:
    return next(_WHY[kind] for kind in type(error).__mro__ if kind in _WHY)
