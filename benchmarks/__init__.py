"""The measurements that docs/BENCHMARKS.md quotes: `python -m benchmarks`.

Ratios against llama.cpp's own tools of the same version, each taken in one sitting. No test runs them: what they say
depends on the machine, and on what else it does.
"""
