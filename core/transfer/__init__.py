"""Conversations to and from files, one module a format. Knows no page; the store it reaches through core/store."""
