"""llama.cpp's low-level bindings without the rest of their package, for processes that live a second.

`import llama_cpp.llama_cpp` runs the package's `__init__` first, which imports its high-level class, its chat formats,
Jinja and NumPy: most of such a process' start. Here the package is only a place to find modules in. Import this before
anything else that imports llama_cpp.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

__all__ = ["extensions", "libraries", "llama"]

if "llama_cpp" not in sys.modules and (_found := importlib.util.find_spec("llama_cpp")) is not None:
    _package = ModuleType("llama_cpp")
    _package.__path__ = list(_found.submodule_search_locations or ())
    _package.__spec__ = _found
    sys.modules["llama_cpp"] = _package

# what stands in for the package comes first
import llama_cpp._ctypes_extensions as extensions
import llama_cpp.llama_cpp as llama
from llama_cpp._ggml import libggml_base_path as libraries
