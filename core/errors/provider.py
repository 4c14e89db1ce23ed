"""Errors of an endpoint: it cannot be reached, does not answer as it should, or may not be asked."""

from __future__ import annotations

from core.errors.base import N_, WorkbenchError

__all__ = [
    "AccessForbidden",
    "AddressInvalid",
    "AnswerAtOnce",
    "AnswerCut",
    "AnswerMalformed",
    "BudgetSpent",
    "CreditUsedUp",
    "EndpointNotFound",
    "KeyMissing",
    "KeyRefused",
    "KeyringUnavailable",
    "KeyUnusable",
    "LocalOnly",
    "NotPermitted",
    "PriceUnknown",
    "ProviderError",
    "ProviderFailed",
    "ProviderRedirects",
    "ProviderTimedOut",
    "ProviderUnreachable",
    "ProviderUntrusted",
    "RateLimited",
    "RateLimitedFor",
    "RequestRejected",
    "UsageMissing",
]


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


class KeyringUnavailable(ProviderError):
    """The system's keyring is not there, locked, or refuses. Values: detail."""

    message = N_("The keyring of this computer cannot be used: {detail}.")
    hint = N_("Unlock it and try again, or keep the key for this session only.")


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


class KeyMissing(KeyRefused):
    """401 where no key was sent. Values: provider, detail."""

    message = N_("{provider} wants a key: {detail}.")
    hint = N_(
        "Connect the endpoint again with its key, in the sidebar or on the Providers page; on the command line, put it "
        "into OPENAI_API_KEY. A key that is kept for this session only is gone when the server stops."
    )


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


class AnswerAtOnce(ProviderError):
    """The pieces of an answer came together, not as they were written. Values: provider, pieces."""

    message = N_("{provider} did not stream: its answer came all at once, in {pieces} pieces.")
    hint = N_(
        "Answers will show only at their end. A proxy or gateway between may hold them back: turn its buffering off."
    )


class UsageMissing(ProviderError):
    """An answer that came without token counts. Values: provider."""

    message = N_("{provider} does not say how many tokens an answer has.")
    hint = N_("Tokens and costs will be estimated, and marked ≈.")


class NotPermitted(WorkbenchError):
    """What was decided on the Providers page does not allow this request. Nothing was sent, or no more is taken."""

    message = N_("This request is not permitted.")


class LocalOnly(NotPermitted):
    """The endpoint is not on this machine, and nothing may leave it. Values: provider."""

    message = N_("{provider} is not asked: only models on this machine are allowed.")
    hint = N_("Choose a local model, or switch off “Local only” on the Providers page.")


class BudgetSpent(NotPermitted):
    """The month's budget for a provider does not hold this request, or no more of its answer.

    Values: provider, amount, currency.
    """

    message = N_("{provider} may cost {amount} {currency} a month, and this is more than is left of it.")
    hint = N_("What had come is kept. Choose another model, or raise the budget on the Providers page.")


class PriceUnknown(NotPermitted):
    """There is a budget, and what the model costs is not known in its currency. Values: model, provider."""

    message = N_("The price of {model} is not known, so the budget for {provider} cannot be kept to.")
    hint = N_("Choose a model whose price is known, or remove the budget on the Providers page.")
