"""The errors a person can act on.

    WorkbenchError
    ├── RequestError            what was asked cannot be done as it was asked
    │   ├── EmptyPrompt
    │   ├── ContextOverflow
    │   ├── GrammarInvalid
    │   ├── SchemaInvalid
    │   ├── TemplateInvalid
    │   ├── SettingInvalid
    │   └── NotSupported
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
    ├── ProviderError           an endpoint cannot be reached, or does not answer as it should
    │   ├── AddressInvalid
    │   ├── KeyUnusable
    │   ├── ProviderUnreachable
    │   ├── ProviderUntrusted
    │   ├── ProviderRedirects
    │   ├── ProviderTimedOut
    │   ├── KeyRefused
    │   ├── CreditUsedUp
    │   ├── AccessForbidden
    │   ├── EndpointNotFound
    │   ├── RateLimited
    │   │   └── RateLimitedFor
    │   ├── RequestRejected
    │   ├── ProviderFailed
    │   ├── AnswerMalformed
    │   └── AnswerCut
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


class NotSupported(RequestError):
    """The request asks for what this endpoint's API has no way to say. Values: provider, feature."""

    message = N_("{provider} has no way to take {feature}.")
    hint = N_("Leave it out, or choose a local model.")


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


class ProviderError(WorkbenchError):
    """An endpoint cannot be reached, or does not answer as it should.

    Its values never hold a key. `detail` is what the endpoint or the network said, in its own words.
    """

    message = N_("The provider cannot answer.")


class AddressInvalid(ProviderError):
    """A base URL that is none. Values: detail."""

    message = N_("This address cannot be used: {detail}.")
    hint = N_("Type the address of an OpenAI-compatible API, such as http://localhost:8080/v1, and the key apart.")


class KeyUnusable(ProviderError):
    """A key, or another header, that cannot be sent over HTTP. Values: what."""

    message = N_("The {what} holds a space, a line break or a character that cannot be sent.")
    hint = N_("Copy it again, and nothing around it.")


class ProviderUnreachable(ProviderError):
    """No connection, or one that was lost before anything was answered. Values: provider, address, detail."""

    message = N_("{provider} cannot be reached at {address}: {detail}.")
    hint = N_("Check that the server is running, that the address and its port are right, and the network.")


class ProviderUntrusted(ProviderError):
    """No secure connection: a certificate that does not hold, or no TLS there. Values: provider, address, detail."""

    message = N_("No secure connection to {provider} at {address}: {detail}.")
    hint = N_("Check the address (https:// or http://), the certificate of the server, and this machine's clock.")


class ProviderRedirects(ProviderError):
    """The endpoint points elsewhere. It is not followed: the key is for this host. Values: provider, target."""

    message = N_("{provider} sends its callers on to {target}, and a key does not follow to another address.")
    hint = N_("If you trust that address, type it in place of this one.")


class ProviderTimedOut(ProviderError):
    """Connected, and silent for too long. Values: provider, seconds."""

    message = N_("{provider} said nothing for {seconds} s.")
    hint = N_("What had come is kept. The server may be loading the model: ask again in a moment.")


class KeyRefused(ProviderError):
    """401. Values: provider, detail."""

    message = N_("{provider} did not accept the key: {detail}.")
    hint = N_("Check the key: whole, not expired, and made for this provider.")


class CreditUsedUp(ProviderError):
    """402, or 429 because the account has nothing left. Values: provider, detail."""

    message = N_("{provider} wants to be paid first: {detail}.")
    hint = N_("Add credit to the account, or choose another model.")


class AccessForbidden(ProviderError):
    """403. Values: provider, detail."""

    message = N_("{provider} does not allow this: {detail}.")
    hint = N_("Check that this key may use this model, and from where you are.")


class EndpointNotFound(ProviderError):
    """404: no such model, or no API at this address. Values: provider, model, detail."""

    message = N_("{provider} does not know {model}, or has no API at this address: {detail}.")
    hint = N_("Check the name of the model, and the address: it often ends in /v1.")


class RateLimited(ProviderError):
    """429. Values: provider, detail."""

    message = N_("{provider} takes no more requests for now: {detail}.")
    hint = N_("Wait a little and ask again, or choose another model.")


class RateLimitedFor(RateLimited):
    """429 that says for how long. Values: provider, detail, seconds."""

    hint = N_("Ask again in {seconds} s, or choose another model.")


class RequestRejected(ProviderError):
    """400, 413, 422 and the like: the endpoint does not take the request as it is. Values: provider, detail."""

    message = N_("{provider} does not take this request: {detail}.")
    hint = N_("Change what it names, or shorten the conversation.")


class ProviderFailed(ProviderError):
    """500 and above, or an error sent in place of the answer's next piece. Values: provider, detail."""

    message = N_("{provider} failed: {detail}.")
    hint = N_("The fault is on its side. What had come is kept; ask again in a moment.")


class AnswerMalformed(ProviderError):
    """What came is no answer of an OpenAI-compatible API. Values: provider, detail."""

    message = N_("{provider} answered in a way that cannot be read: {detail}.")
    hint = N_("Check that the address is that of an OpenAI-compatible API: it often ends in /v1.")


class AnswerCut(ProviderError):
    """The stream of an answer ended before the answer did. Values: provider, detail."""

    message = N_("{provider} stopped in the middle of its answer: {detail}.")
    hint = N_("What had come is kept. Continue the answer, or ask again.")


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
