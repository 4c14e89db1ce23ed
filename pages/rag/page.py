"""The page of one's own documents: ask them, manage them, measure how they are found. A view is imported when drawn."""

from __future__ import annotations

import importlib

from pages.rag import views
from pages.ui import owner, resources

workbench = resources.workbench()
me = owner.current()

importlib.import_module(f"pages.rag.{views.switch()}").show(workbench, me)
