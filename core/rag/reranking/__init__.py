"""The process in which a cross-encoder runs: worker.py, started by core/rag/rerank.py."""
