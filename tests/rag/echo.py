"""An attendant's other side that gives back what it is asked."""

from __future__ import annotations

import msgspec

from core.rag.attending import Desk

if __name__ == "__main__":
    desk = Desk()
    desk.hello()
    desk.begin()
    for asked in desk.requests():
        desk.answer(asked.id, msgspec.json.decode(asked.body))
