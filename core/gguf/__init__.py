"""GGUF files: read and checked in pure Python, and the memory they take. Knows nothing of llama.cpp's process."""
