"""Errors of searching documents, of what is asked of them, and of measuring how well they are found."""

from __future__ import annotations

from core.errors.base import N_, WorkbenchError

__all__ = [
    "NothingToSearch",
    "QuestionSetUnreadable",
    "RerankerUnusable",
    "SearchError",
    "WholeTooLong",
]


class SearchError(WorkbenchError):
    """Documents cannot be searched so."""

    message = N_("These documents cannot be searched so.")


class NothingToSearch(SearchError):
    """A collection, or what a filter leaves of it, has no passage."""

    message = N_("There is no passage to search here.")
    hint = N_("Add documents to the collection, or choose fewer conditions.")


class RerankerUnusable(SearchError):
    """A folder that holds no cross-encoder. Values: folder."""

    message = N_("There is no cross-encoder that can be used in {folder}.")
    hint = N_("Give the folder of a cross-encoder of sentence-transformers, with config.json and model.safetensors.")


class WholeTooLong(SearchError):
    """Whole documents that do not fit the context. Values: tokens, limit."""

    message = N_("The documents have about {tokens} tokens, and {limit} fit beside the question.")
    hint = N_("Let passages be searched, choose fewer documents, or a model with a longer context.")


class QuestionSetUnreadable(SearchError):
    """A set of questions, or a folder in the form of BEIR, that cannot be read. Values: name, detail."""

    message = N_("{name} cannot be read as a set of questions: {detail}.")
    hint = N_(
        "Give a CSV or JSONL file with the columns question and document (page, passage and answer may be beside), or "
        "a folder with corpus.jsonl, queries.jsonl and qrels/test.tsv."
    )
