"""Answers from a person's own documents: read, cut into chunks, embedded, found, cited, and measured."""
