"""Local GGUF models, this side of the wall: files found and checked, processes started and watched."""
