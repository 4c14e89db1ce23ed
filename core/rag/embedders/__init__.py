"""The kinds of embedding models: sentence-transformers in a process of its own, a provider's, a local GGUF's."""
