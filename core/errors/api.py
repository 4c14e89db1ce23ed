"""Errors of a program that uses our own API: its words are for whoever wrote the program."""

from __future__ import annotations

from core.errors.base import N_, WorkbenchError

__all__ = [
    "AddressTaken",
    "ApiClosed",
    "ApiError",
    "ApiKeyWrong",
    "BodyInvalid",
    "BodyTooLarge",
    "HostForeign",
    "OriginForeign",
    "ParameterUnsupported",
    "PathUnknown",
]


class ApiError(WorkbenchError):
    """A program's request that the API does not take as it stands."""

    message = N_("The API does not take this request.")


class BodyInvalid(ApiError):
    """A body that is no JSON, or has a value of the wrong kind. Values: detail, and parameter where one is at fault."""

    message = N_("The body cannot be read: {detail}.")
    hint = N_("Send JSON as OpenAI's API describes it.")


class BodyTooLarge(ApiError):
    """Values: limit_mb."""

    message = N_("The body has more than {limit_mb} MB.")
    hint = N_("Send less at once.")


class ParameterUnsupported(ApiError):
    """A parameter that would change the answer's meaning, and that no local model can follow. Values: parameter,
    detail."""

    message = N_("{parameter} cannot be used: {detail}.")
    hint = N_("Leave it out.")


class PathUnknown(ApiError):
    """Nothing is at this path of the API. Values: path."""

    message = N_("The API has nothing at {path}.")
    hint = N_("The list of what there is stands in the documentation; the base URL ends in /v1.")


class ApiClosed(ApiError):
    """The server can be reached from other machines, and no key is set."""

    message = N_("The API is closed: this server can be reached from other machines, and no key is set.")
    hint = N_("Set WORKBENCH_API_KEY where the server is started, or have it listen on 127.0.0.1.")


class ApiKeyWrong(ApiError):
    """No key came, or not the server's."""

    message = N_("The API key is missing or wrong.")
    hint = N_("Send the server's WORKBENCH_API_KEY as a Bearer token.")


class OriginForeign(ApiError):
    """A web page of another origin asks, perhaps without its reader knowing. Values: origin."""

    message = N_("A web page of {origin} may not use this API.")
    hint = N_("Ask from a program, or from a page of the same server.")


class HostForeign(ApiError):
    """The server listens on this machine alone, and is asked under another name. Values: host."""

    message = N_("This server does not answer to the name {host}.")
    hint = N_("Ask it as localhost or 127.0.0.1, or set WORKBENCH_API_KEY where it is started.")


class AddressTaken(ApiError):
    """The server cannot listen there. Values: address, detail."""

    message = N_("The server cannot listen on {address}: {detail}.")
    hint = N_("Choose another port or address, or end the program that has this one.")
