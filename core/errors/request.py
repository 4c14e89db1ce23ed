"""Errors of what was asked."""

from __future__ import annotations

from core.errors.base import N_, WorkbenchError

__all__ = [
    "AnswerRunning",
    "AttachmentError",
    "AttachmentTooLarge",
    "ContextOverflow",
    "EmptyPrompt",
    "GrammarInvalid",
    "NotSupported",
    "NotText",
    "RequestError",
    "SchemaInvalid",
    "SchemaUnreadable",
    "SettingInvalid",
    "TemplateInvalid",
    "TooManyAttachments",
]


class RequestError(WorkbenchError):
    """What was asked cannot be done as it was asked."""

    message = N_("This request cannot be answered as it stands.")


class EmptyPrompt(RequestError):
    """Neither messages nor a prompt, or nothing but white space."""

    message = N_("There is nothing to answer: the question is empty.")
    hint = N_("Type a question.")


class ContextOverflow(RequestError):
    """The prompt does not fit the context, and the policy drops nothing more. Values: prompt_tokens, context_length."""

    message = N_("The conversation has {prompt_tokens} tokens, and the model's context holds {context_length}.")
    hint = N_(
        "Shorten the question, start a new conversation, choose another policy for a full context, "
        "or load the model with a longer context."
    )


class GrammarInvalid(RequestError):
    """A GBNF grammar that llama.cpp cannot parse, or that is too large or too deeply nested. Values: detail."""

    message = N_("The grammar cannot be used: {detail}.")
    hint = N_("Check the grammar's brackets and rule names; it must have a rule called root.")


class SchemaInvalid(RequestError):
    """A JSON schema that cannot become a grammar. Values: detail."""

    message = N_("The JSON schema cannot be used: {detail}.")
    hint = N_("Simplify the schema: no endless recursion, no addresses outside it, only regular patterns.")


class SchemaUnreadable(SchemaInvalid):
    """A JSON schema that is no JSON. Values: line, column, detail."""

    message = N_("The JSON schema is no JSON at line {line}, column {column}: {detail}.")
    hint = N_("Check the commas, quotation marks and brackets there.")


class TemplateInvalid(RequestError):
    """A chat template that does not parse, does what a template must not, or does not end in time. Values: detail."""

    message = N_("The chat template failed: {detail}.")
    hint = N_("Use the model's own template, or choose another one in the model's settings.")


class SettingInvalid(RequestError):
    """A setting out of its range. Values: setting, value, allowed."""

    message = N_("{setting} cannot be {value}.")
    hint = N_("Allowed: {allowed}.")


class NotSupported(RequestError):
    """The request asks for what this endpoint's API has no way to say. Values: provider, feature."""

    message = N_("{provider} has no way to take {feature}.")
    hint = N_("Leave it out, or choose a local model.")


class AnswerRunning(RequestError):
    """An answer that is still being written can be neither edited nor deleted."""

    message = N_("This answer is still being written.")
    hint = N_("Stop it first, or wait for its end.")


class AttachmentError(RequestError):
    """A file that cannot be given to a model with a question."""

    message = N_("This file cannot be attached.")
    hint = N_("Attach text, Markdown, code or CSV. Documents such as PDF and Word belong on the RAG page.")


class NotText(AttachmentError):
    """A file whose bytes are no text. Values: file."""

    message = N_("{file} is not a text file.")


class AttachmentTooLarge(AttachmentError):
    """More bytes than an attachment may have. Values: file, limit_mb."""

    message = N_("{file} is larger than {limit_mb} MB.")
    hint = N_("Attach the part that matters, or take it to the RAG page, which finds the passages that answer.")


class TooManyAttachments(AttachmentError):
    """Values: number, limit."""

    message = N_("{number} files are attached, and {limit} can be.")
    hint = N_("Attach the ones that matter, or take them to the RAG page, which finds the passages that answer.")
