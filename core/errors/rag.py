"""Errors of documents: what cannot be read, embedded or found."""

from __future__ import annotations

from core.errors.base import N_, WorkbenchError

__all__ = [
    "ChunkingInvalid",
    "DocumentEmpty",
    "DocumentEncrypted",
    "DocumentScanned",
    "DocumentTooLarge",
    "DocumentTooSlow",
    "DocumentUnreadable",
    "DocumentsError",
    "EmbeddingFailed",
    "EmbeddingMissing",
    "FormatUnknown",
    "IndexFailed",
    "PageRefused",
    "TooManyFiles",
]


class DocumentsError(WorkbenchError):
    """Documents cannot be read, embedded or searched."""

    message = N_("This collection cannot be used so.")


class DocumentUnreadable(DocumentsError):
    """Damaged, or not what it says it is. Values: detail."""

    message = N_("This document cannot be read: {detail}.")
    hint = N_("Open it in the program it was made with, save it again, and add it once more.")


class DocumentEncrypted(DocumentUnreadable):
    """It has a password, and none or a wrong one was given."""

    message = N_("This document is protected by a password.")
    hint = N_("Type its password beside it, and try again.")


class DocumentScanned(DocumentUnreadable):
    """Pictures of pages, no text. Values: pages."""

    message = N_("This PDF has no text, only pictures of its pages ({pages}).")
    hint = N_("Install Tesseract on this machine, which reads pictures, or make the PDF searchable elsewhere.")


class DocumentEmpty(DocumentUnreadable):
    """Nothing to read in it."""

    message = N_("There is no text in this document.")
    hint = N_("If it holds pictures of text, a program that recognises text must read it first.")


class DocumentTooLarge(DocumentUnreadable):
    """More than is read. Values: detail."""

    message = N_("This document is too large: {detail}.")
    hint = N_("Split it, or take the part that matters.")


class DocumentTooSlow(DocumentUnreadable):
    """Reading it did not end. Values: seconds."""

    message = N_("This document was not read within {seconds} s.")
    hint = N_("Split it, or save it in another format.")


class FormatUnknown(DocumentUnreadable):
    """A kind of file that is not read. Values: kind."""

    message = N_("Files of this kind ({kind}) are not read.")
    hint = N_(
        "PDF, Word, PowerPoint, Excel, CSV, OpenDocument, EPUB, HTML, Markdown and text are. Save it as one of these."
    )


class PageRefused(DocumentUnreadable):
    """A web page that is not fetched. Values: detail."""

    message = N_("This address is not read: {detail}.")
    hint = N_("Only pages of the public web are; save others as a file, and add that.")


class TooManyFiles(DocumentsError):
    """More files than are taken at once. Values: limit."""

    message = N_("There are more than {limit} files in it.")
    hint = N_("Add the folders below it one after the other.")


class EmbeddingMissing(DocumentsError):
    """An embedding model that is not on this machine. Values: embedding."""

    message = N_("The embedding model {embedding} is not here.")
    hint = N_("Choose another one for this collection, or install it again with: make setup")


class EmbeddingFailed(DocumentsError):
    """An embedding model that gives no vectors. Values: embedding, detail."""

    message = N_("The embedding model {embedding} gave no vectors: {detail}.")
    hint = N_("Try again, or choose another embedding for this collection.")


class ChunkingInvalid(DocumentsError):
    """Sizes that no chunk can have. Values: detail."""

    message = N_("Chunks cannot be cut so: {detail}.")
    hint = N_("Take 16 tokens or more a chunk, and an overlap of at most half of it.")


class IndexFailed(DocumentsError):
    """The search index cannot be used. Values: detail."""

    message = N_("The search index cannot be used: {detail}.")
    hint = N_("Nothing is lost: it is made again from the database, without embedding anew.")
