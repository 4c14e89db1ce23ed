"""What an answer took of electricity: measured by this machine's meters, or else estimated. Knows no page.

The two are never mixed: an `Energy` says which it is, by what method, and what was assumed. None: unknown, and never 0.
"""

from __future__ import annotations

from core.energy.estimate import estimated
from core.errors import WorkbenchError
from core.events import Energy, Finished
from core.models.base import ModelInfo
from core.models.remote.connections import described, is_remote

__all__ = ["of", "of_kept", "estimated"]


def of(info: ModelInfo, finished: Finished) -> Energy | None:
    """What this answer of the model took: as measured, else as estimated for a remote model."""
    return finished.energy or estimated(info, finished.usage, finished.timings)


def of_kept(model_id: str | None, finished: Finished) -> Energy | None:
    """The same for an answer of which only the model's id is left."""
    if finished.energy is not None or model_id is None or not is_remote(model_id):
        return finished.energy
    base_url, _, name = model_id.partition("#")
    try:
        return of(described(base_url, name), finished)
    except (WorkbenchError, ValueError):  # an id that came with an imported file
        return None
