"""A chart that is drawn while another run imports, with its first table, what plotly looks for."""

from __future__ import annotations

import subprocess
import sys

from tests.e2e.serving import PATIENCE_S, ROOT

DRAWN = """
import importlib, importlib.abc, sys, threading

from core import gguf_plots
from core.gguf.anatomy import Share
from pages.ui import chart

half, go_on = threading.Event(), threading.Event()


class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "pandas.core.api":
            half.set()
            go_on.wait(60)


assert "pandas" not in sys.modules
sys.meta_path.insert(0, Slow())
other = threading.Thread(target=importlib.import_module, args=("pandas",))
other.start()
half.wait(60)
made = []
shares = [Share("F16", 16.0, 1, 100, 200, 1.0)]


def make(dark):
    made.append(hasattr(sys.modules["pandas"], "Series"))
    threading.Timer(0.1, go_on.set).start()
    return gguf_plots.share_bar(shares, words=gguf_plots.Words(title="Types", parts={}), dark=dark)


chart.show("types", make, title="Types", name="types")
other.join()
print(*made)
"""


def test_a_chart_is_drawn_while_another_run_imports_pandas() -> None:
    done = subprocess.run([sys.executable, "-c", DRAWN], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.stdout.split() == ["False", "True"], done.stderr
