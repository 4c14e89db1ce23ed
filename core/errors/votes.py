"""Errors of files of votes that come in."""

from __future__ import annotations

from core.errors.base import N_, WorkbenchError

__all__ = [
    "VotesColumnsMissing",
    "VotesError",
    "VotesTooLarge",
    "VotesTooMany",
    "VotesUnknown",
    "VotesUnreadable",
]


class VotesError(WorkbenchError):
    """A file of votes cannot be read; nothing of it has been kept."""

    message = N_("This file of votes cannot be read.")


class VotesUnreadable(VotesError):
    """Damaged, or no table at all. Values: detail."""

    message = N_("This file of votes cannot be read: {detail}.")
    hint = N_("Give the CSV, JSONL or Parquet file itself, as it was exported.")


class VotesColumnsMissing(VotesError):
    """A table without columns that votes need. Values: layout, columns."""

    message = N_("This file of votes, in the layout of {layout}, has no column {columns}.")
    hint = N_("Rename its columns, or export it again with all of them.")


class VotesUnknown(VotesError):
    """A table of another kind. Values: found."""

    message = N_("This file has none of the columns that votes have. It has: {found}.")
    hint = N_(
        "Known are this program's own export, and the columns of Compar'IA (model_a_name, model_b_name, "
        "chosen_model_name) and of Chatbot Arena (model_a, model_b, winner)."
    )


class VotesTooLarge(VotesError):
    """More than is read at once. Values: size_mb, limit_mb."""

    message = N_("This file of votes has {size_mb} MB, and at most {limit_mb} MB are read at once.")
    hint = N_("Leave out the columns of the conversations, or import it in parts.")


class VotesTooMany(VotesError):
    """More rows than are read at once. Values: limit."""

    message = N_("This file has more than {limit} votes, the most that are read at once.")
    hint = N_("Import it in parts.")
