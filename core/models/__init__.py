"""Models of every origin behind one contract: see base.py."""
