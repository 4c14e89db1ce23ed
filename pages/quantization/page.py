"""The Quantization page: what a quantization is and what it costs. Each view is imported when it is drawn."""

from __future__ import annotations

import importlib

from pages.quantization import views
from pages.ui import owner, resources

workbench = resources.workbench()
me = owner.current()

importlib.import_module(f"pages.quantization.{views.switch()}").show(workbench, me)
