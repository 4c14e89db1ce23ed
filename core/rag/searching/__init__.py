"""Chroma, in a process of its own: the search index over what the database holds."""
