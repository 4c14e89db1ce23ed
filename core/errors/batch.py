"""Errors of a batch: its prompts, its checks, its size, and a judge that cannot be understood."""

from __future__ import annotations

from core.errors.base import N_, WorkbenchError

__all__ = [
    "BatchEmpty",
    "BatchError",
    "BatchTooLarge",
    "CheckInvalid",
    "CheckInvalidAt",
    "ColumnsWrong",
    "NoPrompts",
    "PromptsTooLarge",
    "PromptsUnreadable",
    "PromptsUnreadableAt",
    "VerdictUnclear",
]


class BatchError(WorkbenchError):
    """A batch, or prompts for one, that cannot be had as they stand."""

    message = N_("This batch cannot be run.")


class BatchEmpty(BatchError):
    """No model, no prompt, or no repeat."""

    message = N_("A batch takes at least one model and one prompt.")
    hint = N_("Choose a model, and a set of prompts or your own.")


class BatchTooLarge(BatchError):
    """More answers than a batch may have. Values: cells, limit."""

    message = N_("This would be {cells} answers, and a batch takes {limit}.")
    hint = N_("Take fewer prompts, models or repeats.")


class PromptsUnreadable(BatchError):
    """A file that holds no prompts in a form that is known. Values: detail."""

    message = N_("The prompts cannot be read: {detail}.")
    hint = N_("Give a text with a prompt a line, a CSV file with a column named prompt, or JSONL with a prompt a line.")


class PromptsUnreadableAt(PromptsUnreadable):
    """The same, at one place of it. Values: row, detail."""

    message = N_("The prompts cannot be read, number {row}: {detail}.")


class PromptsTooLarge(PromptsUnreadable):
    """More bytes than are read. Values: size_mb, limit_mb."""

    message = N_("The file has {size_mb} MB, and at most {limit_mb} MB are read.")
    hint = N_("Take the part that matters: a batch takes no more than some thousand prompts.")


class ColumnsWrong(PromptsUnreadable):
    """A table in which no column is that of the prompts. Values: found."""

    message = N_("No column of this table holds the prompts. It has: {found}.")
    hint = N_(
        "Name one column prompt (or question). Others that are read: system, category, language, contains, regex, "
        "json_schema, equals."
    )


class NoPrompts(PromptsUnreadable):
    """Nothing in it but white space."""

    message = N_("There is no prompt in it.")
    hint = N_("Write at least one, or choose a set.")


class CheckInvalid(BatchError):
    """A check that cannot be made. Values: kind, detail."""

    message = N_("The check {kind} cannot be used: {detail}.")
    hint = N_("Correct it where the prompts are written. A simpler one is often the better.")


class CheckInvalidAt(CheckInvalid):
    """The same, of one prompt of many. Values: kind, detail, row."""

    message = N_("Prompt {row}: the check {kind} cannot be used: {detail}.")


class VerdictUnclear(BatchError):
    """A judge that said neither A, nor B, nor tie. Values: said."""

    message = N_("The judge did not say which answer is better: {said}")
    hint = N_("Try again, or choose a larger model as judge.")
