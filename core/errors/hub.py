"""Errors of the Hugging Face Hub, and of what is downloaded from it."""

from __future__ import annotations

from core.errors.base import N_, WorkbenchError

__all__ = [
    "DiskTooSmall",
    "DownloadBroken",
    "DownloadDamaged",
    "DownloadRunning",
    "DownloadTooLarge",
    "FolderUnusable",
    "HubBusy",
    "HubError",
    "HubFailed",
    "HubGated",
    "HubLeadsAstray",
    "HubNotFound",
    "HubOffline",
    "HubTokenRefused",
    "HubUnreachable",
    "NameInvalid",
    "PartsMissing",
]


class HubError(WorkbenchError):
    """The Hub cannot be asked, does not answer as it should, or what was downloaded cannot be kept.

    No value ever holds a token.
    """

    message = N_("The Hub cannot answer.")


class HubOffline(HubError):
    """Offline mode is on, by the environment."""

    message = N_("Offline mode is on (HF_HUB_OFFLINE): the Hub is not asked.")
    hint = N_(
        "Everything on this machine works as before: the embedded model, and any GGUF file in the models folder. "
        "To search, unset HF_HUB_OFFLINE and start the server again."
    )


class HubUnreachable(HubError):
    """No connection. Values: address, detail."""

    message = N_("The Hub cannot be reached at {address}: {detail}.")
    hint = N_(
        "Check the network. Everything on this machine works as before: the embedded model, and any GGUF file that is "
        "copied into the models folder."
    )


class HubGated(HubError):
    """The author lets in only who agreed to terms. Values: repository, page."""

    message = N_("{repository} is gated: only who has agreed to its author's terms may download it.")
    hint = N_(
        "Open {page}, sign in and agree to the terms. Then put a token of that account into HF_TOKEN (or run "
        "`hf auth login`) and start the server again. Often there are copies that are not gated: search for the name."
    )


class HubTokenRefused(HubError):
    """The token of this machine does not count. Values: detail."""

    message = N_("The Hub does not accept the token of this machine: {detail}.")
    hint = N_("Make a new one on the Hub, in Settings, Access Tokens, and put it into HF_TOKEN; or unset HF_TOKEN.")


class HubNotFound(HubError):
    """No such repository or file, or a private one. Values: name."""

    message = N_("The Hub has no {name}, or it is private.")
    hint = N_("Check the spelling: OWNER/NAME, as in the address of its page.")


class NameInvalid(HubError):
    """What was typed can be no repository. Values: name."""

    message = N_("{name} is no name of a repository.")
    hint = N_("Type OWNER/NAME, as in the address of its page.")


class PartsMissing(HubError):
    """A split model of which the repository does not have all parts. Values: name."""

    message = N_("Parts of {name} are missing in the repository.")
    hint = N_("Choose another quantization.")


class HubBusy(HubError):
    """429. Values: seconds."""

    message = N_("The Hub takes no more requests from here for now.")
    hint = N_("Try again in {seconds} s. With a token in HF_TOKEN it takes more.")


class HubFailed(HubError):
    """An answer that is none. Values: detail."""

    message = N_("The Hub did not answer as it should: {detail}.")
    hint = N_("The fault is on its side, or of something between. Try again in a moment.")


class HubLeadsAstray(HubError):
    """A redirect to this machine or network, which a Hub elsewhere must not give. Values: address."""

    message = N_("The Hub sends its callers on to {address}, inside your own network. That is not followed.")
    hint = N_("Check HF_ENDPOINT: it should be the address of a Hub that you trust.")


class DownloadBroken(HubError):
    """The connection broke again and again. Values: file, detail."""

    message = N_("The download of {file} broke off: {detail}.")
    hint = N_("What has come is kept. Go on when the network is back.")


class DownloadDamaged(HubError):
    """What came is not what the Hub has. Values: file, detail."""

    message = N_("What came of {file} is not what the Hub has: {detail}.")
    hint = N_("It has been deleted. Download it again; if it happens again, choose another source.")


class DownloadRunning(HubError):
    """The same file is being downloaded already, here or by another program. Values: file."""

    message = N_("{file} is being downloaded already.")
    hint = N_("Wait for it, or stop it first.")


class DownloadTooLarge(HubError):
    """A single file larger than the Hub sends over plain HTTP. Values: file, size_gb, limit_gb."""

    message = N_("{file} has {size_gb} GB in one file, and the Hub sends at most {limit_gb} GB of one over HTTP.")
    hint = N_(
        "Choose a quantization that is smaller or split over several files; or fetch it with `hf download` and put it "
        "into the models folder."
    )


class DiskTooSmall(HubError):
    """Not enough room for it. Values: file, needed_gb, free_gb."""

    message = N_("{file} needs {needed_gb} GB, and {free_gb} GB of the disk can be used.")
    hint = N_("Make room, choose a smaller quantization, or set WORKBENCH_HOME to a folder on another disk.")


class FolderUnusable(HubError):
    """The models folder cannot be written to. Values: folder, detail."""

    message = N_("The folder {folder} cannot be written to: {detail}.")
    hint = N_("Check that the disk is not full and that the folder is yours. What has come is kept.")
