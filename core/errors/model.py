"""Errors of a model on this machine, or of its process."""

from __future__ import annotations

from core.errors.base import N_, WorkbenchError

__all__ = [
    "AnswerBroken",
    "ModelBusy",
    "ModelDied",
    "ModelError",
    "ModelFileInvalid",
    "ModelLoadFailed",
    "ModelNotFound",
    "ModelTooLarge",
    "ModelUnstable",
    "ModelUnsupported",
]


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
