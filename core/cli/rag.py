"""`python -m core rag ACTION`: documents. Each action is a module beside this one."""

from __future__ import annotations

import argparse
import importlib


def run(args: argparse.Namespace) -> int:
    """Does the action, and returns the exit code."""
    return int(importlib.import_module(f"core.cli.rag_{args.action}").run(args))
