"""Models behind an address: any endpoint that speaks OpenAI's chat-completions API, on this machine or far away."""
