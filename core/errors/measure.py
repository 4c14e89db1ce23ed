"""Errors of measuring a model: the text, the reference, what the model computed."""

from __future__ import annotations

from core.errors.base import N_, WorkbenchError

__all__ = [
    "LogitsInvalid",
    "MeasureDied",
    "MeasureError",
    "NoSpaceToMeasure",
    "NothingToMeasure",
    "ReferenceBusy",
    "TextTooShort",
    "TextUnreadable",
    "VocabulariesDiffer",
]


class MeasureError(WorkbenchError):
    """A model that cannot be measured so."""

    message = N_("This cannot be measured.")


class LogitsInvalid(MeasureError):
    """Not a number, or infinite. Values: model, chunk."""

    message = N_("{model} computed what is no number in chunk {chunk}.")
    hint = N_("The file is damaged, or its quantization has failed: quantize or download it again.")


class MeasureDied(MeasureError):
    """The measuring process ended. Values: model, detail."""

    message = N_("The process that measured {model} ended ({detail}).")
    hint = N_("What had been measured is kept. Go on: it continues with the next chunk.")


class NoSpaceToMeasure(MeasureError):
    """The reference's probabilities do not fit the disk. Values: needed, free."""

    message = N_("The reference's probabilities take {needed} of disk space, and {free} are free.")
    hint = N_("Make room, or take fewer chunks.")


class NothingToMeasure(MeasureError):
    """No model was chosen."""

    message = N_("There is no model to measure.")
    hint = N_("Choose at least one.")


class ReferenceBusy(MeasureError):
    """Another process writes the reference's probabilities. Values: model."""

    message = N_("The reference {model} is being measured by another program.")
    hint = N_("Wait until it has finished, then go on.")


class TextTooShort(MeasureError):
    """Not one chunk of it. Values: tokens, needed."""

    message = N_("The text has {tokens} tokens, and one chunk takes {needed}.")
    hint = N_("Take a longer text, or a shorter context.")


class TextUnreadable(MeasureError):
    """A file that is no text, or not there. Values: file, detail."""

    message = N_("The text {file} cannot be read: {detail}.")
    hint = N_("Choose a plain text file; one saved as UTF-8 is read for certain.")


class VocabulariesDiffer(MeasureError):
    """Models whose tokens are not the same ones. Values: model."""

    message = N_("{model} and the reference do not cut the text into the same tokens.")
    hint = N_(
        "Distributions over different tokens cannot be compared: take a reference that is the same model in another "
        "quantization. Perplexity alone can be measured without a reference."
    )
