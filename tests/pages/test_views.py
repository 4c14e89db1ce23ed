"""Which view of a page is shown: the address says it, whatever the browser says of the switch."""

from __future__ import annotations

import pytest

from core.workbench import Workbench
from tests.pages.sitting import Sitting


@pytest.mark.parametrize("said", [None, "no such view"])
def test_a_browser_that_says_nothing_of_the_switch_stays_in_its_view(workbench: Workbench, said: str | None) -> None:
    """One that missed the run in which the view was told sends that none is chosen."""
    sitting = Sitting(workbench, view="duel")
    sitting.at.switch_page("../compare/page.py")
    sitting.run()
    assert sitting.at.session_state["compare-view"] == "duel"
    sitting.at.session_state["compare-view"] = said
    sitting.run()
    assert sitting.at.session_state["compare-view"] == "duel"
    assert sitting.at.query_params["view"] == "duel"
