"""Errors of comparing models: comparisons, duels and their votes."""

from __future__ import annotations

from core.errors.base import N_, WorkbenchError

__all__ = [
    "ArenaError",
    "DuelOver",
    "NoPair",
    "NoPairOfSizes",
    "PairAlike",
    "PanesOutOfRange",
    "RouteInDuel",
    "TooFewModels",
    "VoteTooEarly",
]


class ArenaError(WorkbenchError):
    """A comparison, a duel or a vote that cannot be had as it was asked for."""

    message = N_("These models cannot be compared so.")


class PanesOutOfRange(ArenaError):
    """Fewer or more panes than a comparison takes. Values: least, most."""

    message = N_("A comparison takes from {least} to {most} models.")
    hint = N_("Add a model, or take one away.")


class TooFewModels(ArenaError):
    """A duel takes two models. Values: count."""

    message = N_("A duel takes two models, and {count} can be asked here.")
    hint = N_("Connect an endpoint on the Providers page, or put a second model into the folder of models.")


class NoPair(ArenaError):
    """No two of the models are a pair of the kind that was asked for."""

    message = N_("No two of the models here make such a pair.")
    hint = N_("Connect an endpoint, put a second quantization into the folder of models, or choose the two yourself.")


class NoPairOfSizes(NoPair):
    """The same, where the sizes of some models are not known. Values: unknown."""

    message = N_(
        "No two models of known size make such a pair. Not known is the size of {unknown}, and none is guessed."
    )
    hint = N_("Choose the two yourself, or let chance choose.")


class PairAlike(ArenaError):
    """Both sides of a duel would be asked alike."""

    message = N_("Both answers would come from the same model, asked in the same way.")
    hint = N_("Choose another model, temperature or system prompt for one of the two.")


class VoteTooEarly(ArenaError):
    """A vote on answers that are still being written, or of which one has no words."""

    message = N_("There are not two answers to vote on yet.")
    hint = N_("Wait until both are there. If one failed, try it again.")


class DuelOver(ArenaError):
    """A vote or a question in a duel that has been voted on, or revealed."""

    message = N_("This duel is over: who answered is known.")
    hint = N_("Start another duel.")


class RouteInDuel(ArenaError):
    """A route was chosen for a duel."""

    message = N_("A route cannot be in a blind duel: with its answer it says whom it asked.")
    hint = N_("Choose one of its models.")
