"""The pages of web/, filled, in the reader's language. Of a poll they show the question and the two answers; the names
of the models only in an outcome that has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse

from core import words
from core.classroom.ballots import CHOICES, REASON_NAMES, Ballot, Poll
from core.classroom.hall import Outcome
from core.errors import (
    AskedTooOften,
    BallotInvalid,
    ClassroomError,
    PollClosed,
    StoreError,
    WorkbenchError,
)

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent / "web"

STATUS: dict[type[WorkbenchError], int] = {
    WorkbenchError: 500,
    StoreError: 503,
    ClassroomError: 403,
    PollClosed: 404,
    BallotInvalid: 400,
    AskedTooOften: 429,
}
"""Of a refusal; the nearest kind counts."""


def preferred(accepted: str) -> str:
    """The language by an Accept-Language header (RFC 9110, 12.5.4): the most wanted that there is, else English."""
    wanted = sorted(filter(None, map(_weighed, accepted[:1000].split(","))), key=lambda each: -each[0])
    return next((code for _, code in wanted if code in words.languages()), words.languages()[0])


def join(language: str) -> HTMLResponse:
    """Asks for the code."""
    _ = words.translator(language)
    labels = {"code": _("The code on the screen"), "join": _("Join")}
    return _page("join.html", language, title=_("Vote in class"), words=labels)


def paper(poll: Poll, ballot: Ballot | None, language: str) -> HTMLResponse:
    """The question, the answers and the buttons; `ballot`: what this device has said."""
    _ = words.translator(language)
    sides = [
        {"letter": "a", "name": _("Answer A"), "answer": poll.paper.a.answer, "reasons": _reasons(ballot, "a")},
        {"letter": "b", "name": _("Answer B"), "answer": poll.paper.b.answer, "reasons": _reasons(ballot, "b")},
    ]
    return _page(
        "paper.html",
        language,
        title=_("Vote in class"),
        code=poll.code,
        question=poll.paper.question,
        sides=sides,
        choices=[{"value": value, "name": _(name)} for value, name in CHOICES.items()],
        chosen=ballot.choice if ballot else None,
        reasons=[{"value": value, "name": _(name)} for value, name in REASON_NAMES.items()],
        reasoned=ballot is not None and bool(ballot.reasons_a or ballot.reasons_b),
        words={
            "which": _("Which answer is better?"),
            "counted": _("Thank you, your vote is counted."),
            "change": _("You can change it until the vote is closed."),
            "why": _("Say why (optional)"),
            "send": _("Send the reasons"),
            "lost": _("The connection is lost, or the vote is over. Look at the screen in front."),
        },
    )


def closed(outcome: Outcome, language: str) -> HTMLResponse:
    """How it went."""
    title, *lines = result(outcome, language)
    return _page("message.html", language, title=title, lines=lines)


def result(outcome: Outcome, language: str) -> list[str]:
    """How it went, line by line; one line where the rest is not for phones."""
    _, ngettext = words.translator(language), words.plural(language)
    lines = [_("The vote is closed. Thank you!")]
    if outcome.tally is not None:
        for choice, name in CHOICES.items():
            votes = outcome.tally.of(choice)
            counted = ngettext("{count} vote", "{count} votes", votes).format(count=words.number(votes, language))
            lines.append(_("{name}: {votes}").format(name=_(name), votes=counted))
    if outcome.names is not None:
        a, b = outcome.names
        lines += [
            _("Answer A was given by {model}.").format(model=a),
            _("Answer B was given by {model}.").format(model=b),
        ]
    return lines


def refusal(
    error: WorkbenchError, language: str, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """Why not, and what to do. Of an error that is not the class's own nothing is told: it may name files."""
    said = error if isinstance(error, ClassroomError) else WorkbenchError()
    message, hint = words.explain(said, language)
    status = status or next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    page = _page("message.html", language, title=message, lines=[hint] if hint else [], status=status)
    # What of the body has not been read is not worth reading.
    page.headers.update({**(headers or {}), "Connection": "close"})
    return page


def _page(template: str, language: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(_templates().get_template(template).render(language=language, **values), status)


@lru_cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _reasons(ballot: Ballot | None, letter: str) -> Sequence[str]:
    return getattr(ballot, f"reasons_{letter}", ())


def _weighed(part: str) -> tuple[float, str] | None:
    """A language code with its weight; None for what is no such thing, or not wanted."""
    tag, _, weight = part.replace(" ", "").partition(";q=")
    try:
        quality = float(weight or 1)
    except ValueError:
        return None
    return (quality, tag.split("-")[0].lower()) if quality > 0 else None
