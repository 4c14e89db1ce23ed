"""Errors of what is kept, and of files of conversations that come in."""

from __future__ import annotations

from core.errors.base import N_, WorkbenchError

__all__ = [
    "ImportFromFuture",
    "ImportInvalid",
    "ImportTooLarge",
    "ImportUnknown",
    "NotThere",
    "StoreError",
    "StoreUnavailable",
    "TransferError",
]


class TransferError(WorkbenchError):
    """A file of conversations cannot be read; nothing of it has been kept."""

    message = N_("This file cannot be imported.")


class ImportInvalid(TransferError):
    """No JSON, damaged, or with nothing in it that can be read. Values: detail."""

    message = N_("This file cannot be imported: {detail}.")
    hint = N_("Export it again from where it comes, and choose the JSON file itself, not the archive it came in.")


class ImportUnknown(TransferError):
    """JSON of no form that is known."""

    message = N_("This file holds no conversations in a form that is known.")
    hint = N_("Known are this program's own export, those of ChatGPT and Open WebUI, and lists of OpenAI messages.")


class ImportFromFuture(TransferError):
    """Our own format in a later version. Values: version, known."""

    message = N_("A newer version of this program has written this file (format {version}; known is {known}).")
    hint = N_("Update this program, then import the file again.")


class ImportTooLarge(TransferError):
    """More than is read at once. Values: size_mb, limit_mb."""

    message = N_("This file has {size_mb} MB, and at most {limit_mb} MB are imported at once.")
    hint = N_("Export fewer conversations at a time.")


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
