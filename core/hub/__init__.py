"""The Hugging Face Hub: GGUF models searched, judged for this machine before anything is downloaded, and downloaded."""
