"""What a browser shows that missed the run in which a widget's value was told: Streamlit tells it once, and drops what
is not sent yet when the next run begins. Then the browser shows the widget's default, and sends it as chosen.

So the default of a widget is what it stands at. A field for a number that begins empty is left out: only with no
default can it be emptied again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.workbench import Workbench
from tests.gguf.making import tiny
from tests.pages.looking import elsewhere as elsewhere
from tests.pages.sitting import Sitting

VIEWS = {
    "chat": (),
    "compare": ("side", "duel", "ranking", "batch"),
    "quantization": ("measure", "inspect", "quantize", "hub"),
    "rag": ("ask", "collections", "measure"),
    "providers": (),
}


@pytest.mark.parametrize(("page", "view"), [(page, view) for page, views in VIEWS.items() for view in views or ("",)])
def test_a_widget_stands_at_its_default(workbench: Workbench, tmp_path: Path, page: str, view: str) -> None:
    address = {"view": view, "file": str(tiny(tmp_path / "little.gguf"))} if view else {}
    sitting = Sitting(workbench, **address)
    if page != "chat":
        sitting.at.switch_page(f"../{page}/page.py")
        sitting.run()
    assert defaults(sitting.at) == values(sitting.at) != {}


def test_the_settings_of_a_conversation_stand_at_their_defaults(workbench: Workbench) -> None:
    settings = {"temperature": 0.35, "top_p": 0.6, "stop": "End", "system": "Be brief.", "overflow": "stop"}
    written = Sitting(workbench).set(**settings, form="json_schema").ask("Hello")
    assert written.id is not None
    again = Sitting(workbench, c=written.id)
    found = defaults(again.at)
    assert found == values(again.at)
    assert [found[f"{name.replace('_', '-')}-{written.id}"] for name in ("temperature", "top_p", "stop", "form")] == [
        [0.35],
        [0.6],
        "End",
        ["JSON schema"],
    ]


def defaults(at: AppTest) -> dict[str, Any]:
    return {key: default for key, (default, _) in widgets(at)}


def values(at: AppTest) -> dict[str, Any]:
    return {key: value for key, (_, value) in widgets(at)}


def widgets(at: AppTest) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """What each widget begins with by itself, and what it stands at, by its key."""
    for box in [*at.selectbox, *at.radio]:
        options = list(box.proto.options)
        begins = options[box.proto.default] if box.proto.HasField("default") else None
        nothing = box.value is None and begins is None
        yield box.key, (begins, None if nothing or not options else box.format_func(box.value))
    for group in at.button_group:
        stands = [label.split(": ")[-1] for label in group.formatted_values]  # an icon is told by itself
        yield group.key, ([group.options[index] for index in group.proto.default], stands)
    for slider in at.slider:
        yield slider.key, (list(slider.proto.default), [slider.value])
    for field in [*at.text_area, *at.text_input, *at.toggle, *at.checkbox]:
        yield field.key, (field.proto.default, field.value or type(field.proto.default)())
