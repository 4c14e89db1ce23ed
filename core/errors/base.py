"""What all errors have: a message, a hint, and a form that passes through the wall and the store."""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "N_",
    "WorkbenchError",
]


def N_(text: str) -> str:
    """Marks a string for the catalogues where it stands, translated where it is shown."""
    return text


class WorkbenchError(Exception):
    """Base of all errors of the workbench. `values` fill the placeholders of `message` and `hint`."""

    message: ClassVar[str] = N_("Something went wrong.")
    hint: ClassVar[str] = ""

    def __init__(self, **values: Any) -> None:
        self.values = values
        super().__init__(self.message.format_map(values))

    def advice(self) -> str:
        """The hint in English, filled; empty when there is none."""
        return self.hint.format_map(self.values)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form, for the wall and the store; `from_dict` makes the error again."""
        return {"error": type(self).__name__, "values": self.values}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> WorkbenchError:
        """The error that `to_dict` described; an unknown name becomes a `ModelError` with the name as its detail."""
        name, values = str(data.get("error", "")), data.get("values", {})
        known = _by_name()
        if name not in known or not isinstance(values, dict):
            return known["ModelLoadFailed"](model="?", detail=name)
        return known[name](**values)


def _by_name() -> dict[str, type[WorkbenchError]]:
    def tree(kind: type[WorkbenchError]) -> dict[str, type[WorkbenchError]]:
        found = {kind.__name__: kind}
        for child in kind.__subclasses__():
            found |= tree(child)
        return found

    return tree(WorkbenchError)
