"""Errors of making a quantized file."""

from __future__ import annotations

from core.errors.base import N_, WorkbenchError

__all__ = [
    "AlreadyQuantized",
    "DiskTooFull",
    "ImatrixInvalid",
    "ImatrixNeeded",
    "QuantizeError",
    "QuantizeFailed",
    "SourceChanged",
    "TargetBusy",
    "TargetExists",
    "TargetUnwritable",
]


class QuantizeError(WorkbenchError):
    """A quantized file that cannot be made. Nothing half-made is left."""

    message = N_("The file cannot be quantized.")


class AlreadyQuantized(QuantizeError):
    """The source is quantized already, and it was not said that this is meant. Values: model, type."""

    message = N_("{model} is quantized already ({type}): quantizing it again adds the errors of both.")
    hint = N_("Take the f16, bf16 or f32 file of the same model; or say that requantizing is meant.")


class ImatrixNeeded(QuantizeError):
    """A type that is of no use without an importance matrix. Values: type."""

    message = N_("{type} needs an importance matrix: without one, so few bits give a model that writes nonsense.")
    hint = N_("Give an importance matrix made for this model, or choose a type that needs none, as Q2_K.")


class ImatrixInvalid(QuantizeError):
    """The file is no importance matrix, damaged, or another model's. Values: file, detail."""

    message = N_("{file} is not a usable importance matrix: {detail}.")
    hint = N_("Give the file that llama-imatrix wrote for this model.")


class DiskTooFull(QuantizeError):
    """The result would not fit. Values: needed, free (as people read them)."""

    message = N_("The result takes {needed}, and the disk has {free} free.")
    hint = N_("Free some space, choose a smaller type, or another folder.")


class TargetExists(QuantizeError):
    """There is a file of that name, or it is the source itself. Values: file."""

    message = N_("There is already a file named {file}.")
    hint = N_("Choose another name or folder, or delete that file first.")


class TargetBusy(QuantizeError):
    """Another job is making this very file. Values: file."""

    message = N_("{file} is being made by another job.")
    hint = N_("Wait for that one, or stop it.")


class TargetUnwritable(QuantizeError):
    """The folder does not take it. Values: folder, detail."""

    message = N_("Nothing can be written to {folder}: {detail}.")
    hint = N_("Choose another folder, or give this program the right to write there.")


class SourceChanged(QuantizeError):
    """The source is no longer the file that was checked. Values: model."""

    message = N_("{model} was changed while it was being quantized; the result has been thrown away.")
    hint = N_("Let the download or copy finish, then quantize again.")


class QuantizeFailed(QuantizeError):
    """llama.cpp could not do it, or its process ended. Values: model, type, detail."""

    message = N_("{model} could not be quantized to {type}: {detail}.")
    hint = N_("Nothing half-made was kept. Try another type, or another file of the same model.")
