"""Errors of a class's vote: its words are for whoever opened it, and for whoever votes on a phone."""

from __future__ import annotations

from core.errors.base import N_, WorkbenchError

__all__ = [
    "AddressForeign",
    "AnswersMissing",
    "AskedTooOften",
    "BallotInvalid",
    "ClassHasVoted",
    "ClassroomError",
    "DeviceUnknown",
    "PollClosed",
    "PollsFull",
    "TooManyBallots",
]


class ClassroomError(WorkbenchError):
    """A vote of a class that cannot be opened, or not be taken part in."""

    message = N_("This does not work in a vote of the class.")


class AnswersMissing(ClassroomError):
    """There are not two answers to vote on."""

    message = N_("A class votes on two answers, and one of them is missing.")
    hint = N_("Wait until both answers are there, or ask the one that failed again.")


class ClassHasVoted(ClassroomError):
    """A class votes once on the same answers."""

    message = N_("The class has voted on these answers.")
    hint = N_("Ask a further question, or begin another duel.")


class PollsFull(ClassroomError):
    """As many as may be open are. Values: limit."""

    message = N_("{limit} votes are open on this machine already.")
    hint = N_("Close one of them first.")


class PollClosed(ClassroomError):
    """Closed, or there never was one by this code."""

    message = N_("There is no open vote here: it has been closed, or the code is another.")
    hint = N_("Compare the code with the one on the screen.")


class DeviceUnknown(ClassroomError):
    """A ballot without the device's name, or with one that was not given to it."""

    message = N_("This vote could not be counted: the browser did not say which device it is on.")
    hint = N_("Open the link again, in a browser that keeps cookies.")


class BallotInvalid(ClassroomError):
    """What was sent is no ballot."""

    message = N_("This vote could not be read, and was not counted.")
    hint = N_("Open the link again and press one of the four buttons.")


class TooManyBallots(ClassroomError):
    """Values: limit."""

    message = N_("{limit} devices have voted, and no more are counted.")


class AskedTooOften(ClassroomError):
    """An address asks more than a class would."""

    message = N_("Too many requests came from this address.")
    hint = N_("Wait a minute, then open the link again.")


class AddressForeign(ClassroomError):
    """The listener is asked under a name that is not this machine's, or by a page of another server."""

    message = N_("This page was opened under another name than its own.")
    hint = N_("Open the link on the screen.")
