"""The Compare page: models side by side, blind, in batch, and ranked. Each view is imported when it is drawn."""

from __future__ import annotations

import importlib

from pages.compare import views
from pages.ui import owner, resources

workbench = resources.workbench()
me = owner.current()

importlib.import_module(f"pages.compare.{views.switch()}").show(workbench, me)
