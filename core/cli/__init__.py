"""The commands of `python -m core`, one module each: `run(args)` does it and returns the exit code."""
