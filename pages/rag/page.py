"""The Quantization page: what a rag is and what it costs. Each view is imported when it is drawn."""

from __future__ import annotations

import importlib

from pages.rag import views
from pages.ui import owner, resources

workbench = resources.workbench()
me = owner.current()

importlib.import_module(f"pages.rag.{views.switch()}").show(workbench, me)
