"""The errors a person can act on.

    WorkbenchError
    ├── RequestError            what was asked cannot be done as it was asked
    │   ├── EmptyPrompt
    │   ├── ContextOverflow
    │   ├── GrammarInvalid
    │   ├── SchemaInvalid
    │   ├── TemplateInvalid
    │   └── SettingInvalid
    ├── ModelError              the model, or its process, cannot answer
    │   ├── ModelNotFound
    │   ├── ModelFileInvalid
    │   ├── ModelUnsupported
    │   ├── ModelTooLarge
    │   ├── ModelLoadFailed
    │   ├── ModelDied
    │   ├── AnswerBroken
    │   ├── ModelUnstable
    │   └── ModelBusy
    └── StoreError              what is kept cannot be read or written
        ├── NotThere
        └── StoreUnavailable

Each class says what happened (`message`) and what to do (`hint`), as English templates filled with the keyword
arguments it is raised with: `raise ModelNotFound(model="phi.gguf")`. The templates are msgids of the catalogues in
locales/, so a page shows them in the reader's language; `str(error)` is English.
"""

from __future__ import annotations

from typing import Any, ClassVar


def N_(text: str) -> str:
    """Marks a string for the catalogues where it stands, translated where it is shown."""
    return text


class WorkbenchError(Exception):
    """Base of all errors of the workbench. `values` fill the placeholders of `message` and `hint`."""

    message: ClassVar[str] = N_("Something went wrong.")
    hint: ClassVar[str] = ""

    def __init__(self, **values: Any) -> None:
        self.values = values
        super().__init__(self.message.format_map(values))

    def advice(self) -> str:
        """The hint in English, filled; empty when there is none."""
        return self.hint.format_map(self.values)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form, for the wall and the store; `from_dict` makes the error again."""
        return {"error": type(self).__name__, "values": self.values}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> WorkbenchError:
        """The error that `to_dict` described; an unknown name becomes a `ModelError` with the name as its detail."""
        name, values = str(data.get("error", "")), data.get("values", {})
        kind = _by_name().get(name)
        if kind is None or not isinstance(values, dict):
            return ModelLoadFailed(model="?", detail=name)
        return kind(**values)


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


class TemplateInvalid(RequestError):
    """A chat template that does not parse, does what a template must not, or does not end in time. Values: detail."""

    message = N_("The chat template failed: {detail}.")
    hint = N_("Use the model's own template, or choose another one in the model's settings.")


class SettingInvalid(RequestError):
    """A setting out of its range. Values: setting, value, allowed."""

    message = N_("{setting} cannot be {value}.")
    hint = N_("Allowed: {allowed}.")


class ModelError(WorkbenchError):
    """The model, or its process, cannot answer."""

    message = N_("The model cannot answer.")


class ModelNotFound(ModelError):
    """No file and no entry of the catalogue goes by this id. Values: model."""

    message = N_("There is no model at {model}.")
    hint = N_("Pick a model from the list, or type the path of a GGUF file.")


class ModelFileInvalid(ModelError):
    """The file is no GGUF, damaged, or made to harm. Values: model, detail."""

    message = N_("{model} is not a usable GGUF file: {detail}.")
    hint = N_("Download the file again, from a source you trust, and compare its checksum.")


class ModelUnsupported(ModelError):
    """A sound GGUF file that this version of llama.cpp cannot run. Values: model, detail."""

    message = N_("This version of llama.cpp cannot run {model}: {detail}.")
    hint = N_("Choose another model, or update llama-cpp-python.")


class ModelTooLarge(ModelError):
    """Loading it would take more memory than there is. Values: model, needed_gb, free_gb."""

    message = N_("{model} needs about {needed_gb} GB of memory, and {free_gb} GB can be used.")
    hint = N_("Choose a smaller quantization or a shorter context, or close another model.")


class ModelLoadFailed(ModelError):
    """llama.cpp could not load it. Values: model, detail."""

    message = N_("{model} could not be loaded: {detail}.")
    hint = N_("Try a shorter context, or another file of the same model.")


class ModelDied(ModelError):
    """The model's process ended while it was answering. Values: model, detail."""

    message = N_("The process of {model} ended while it was answering ({detail}).")
    hint = N_("What had come is kept. Ask again: the model is started anew.")


class AnswerBroken(ModelError):
    """The stream of an answer ended without its last event, or by a fault of our own. Values: model, detail."""

    message = N_("{model} stopped in the middle of its answer ({detail}).")
    hint = N_("What had come is kept. Ask again; if it happens again, the server's log has the details.")


class ModelUnstable(ModelError):
    """The model's process ended three times in a row. Values: model, detail."""

    message = N_("{model} has crashed three times in a row ({detail}) and is set aside.")
    hint = N_("Choose another model, or load this one with other settings.")


class ModelBusy(ModelError):
    """More requests wait than the queue holds. Values: model, waiting."""

    message = N_("{model} already has {waiting} requests waiting.")
    hint = N_("Try again in a moment.")


class StoreError(WorkbenchError):
    """What is kept cannot be read or written."""

    message = N_("The data folder cannot be used.")


class NotThere(StoreError):
    """Nothing by that id, or nothing of this owner's. Values: what."""

    message = N_("There is no such {what}.")
    hint = N_("It may have been deleted in another window.")


class StoreUnavailable(StoreError):
    """The database cannot be opened, read or written. Values: path, detail."""

    message = N_("The database {path} cannot be used: {detail}.")
    hint = N_("Check that the folder can be written to and that the disk is not full.")


def _by_name() -> dict[str, type[WorkbenchError]]:
    def tree(kind: type[WorkbenchError]) -> dict[str, type[WorkbenchError]]:
        found = {kind.__name__: kind}
        for child in kind.__subclasses__():
            found |= tree(child)
        return found

    return tree(WorkbenchError)
