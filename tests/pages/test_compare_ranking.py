"""The ranking as a person sees it: what can be said and what not, which votes count, and votes in and out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from streamlit.testing.v1 import AppTest

from core.arena import exchange
from core.arena.votes import Choice, Side, Source, Vote
from core.events import Finished, Timings, Usage
from core.messages import Message
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.e2e.serving import PATIENCE_S

NAMED: dict[str, Choice] = {"a": "a", "b": "b", "t": "tie", "0": "both_bad"}


def page() -> None:
    from pages.compare import ranking
    from pages.ui import owner, resources

    ranking.show(resources.workbench(), owner.current())


def side(label: str, *, rate: float | None = None, size: int | None = None) -> Side:
    finished = Finished("stop", Usage(prompt_tokens=1, generated_tokens=2), Timings(decode_rate=rate))
    said = (Message("user", "Why?"), Message("assistant", f"I am {label}."))
    return Side(label=label, size_bytes=size, finished=finished, conversation=said)


def votes(a: Side, b: Side, choices: str, source: Source = "duel", **fields: str) -> list[Vote]:
    """A vote for each letter: a, b, t for a tie, 0 for two bad answers."""
    return [
        Vote(
            id=f"{a.label}{b.label}{source}{number}", at=number, choice=NAMED[letter], a=a, b=b, source=source, **fields
        )  # type: ignore[arg-type]
        for number, letter in enumerate(choices)
    ]


@pytest.fixture
def kept(workbench: Workbench) -> Workbench:
    for vote in workbench.votes.list(PERSON):
        workbench.votes.delete(PERSON, vote.id)
    return workbench


def shown(workbench: Workbench, found: Sequence[Vote], **address: str) -> AppTest:
    workbench.votes.merge(PERSON, found)
    at = AppTest.from_function(page, default_timeout=PATIENCE_S)
    at.query_params.update(address)
    at.run()
    assert not at.exception
    return at


def words(at: AppTest) -> str:
    """All text of the page, Markdown's backslashes left out."""
    drawn = [*at.markdown, *at.caption, *at.info, *at.success, *at.error]
    return "\n".join(one.value for one in drawn).replace("\\", "")


def titles(at: AppTest) -> list[str]:
    """What the charts say."""
    return [chart.proto.alt for chart in at.get("plotly_chart")]


def lines(at: AppTest) -> list[dict[str, object]]:
    (table,) = at.dataframe
    return [dict(row) for row in table.value.to_dict("records")]


FAST, SLOW = side("fast Q4", rate=80, size=100), side("slow F16", rate=10, size=400)
OTHER = side("other", rate=20, size=200)


def test_without_votes_it_says_how_to_get_some(kept: Workbench) -> None:
    at = shown(kept, [])
    assert "There are none yet" in words(at)
    assert titles(at) == [] and len(at.file_uploader) == 1
    at.button(key="ranking-duel").click().run()
    assert at.session_state["compare-view"] == "duel"


def test_who_is_ahead_is_said_and_what_is_undecided_is_not_ranked(kept: Workbench) -> None:
    at = shown(kept, votes(FAST, OTHER, "a" * 30 + "b") + votes(OTHER, SLOW, "aababtaabb0"))
    assert titles(at) == ["fast Q4 is ahead"]
    said = words(at)
    assert "**fast Q4** is ahead of **other**" in said
    assert "**other** and **slow F16**: undecided" in said and "would tell" in said
    assert "42 votes count." in said
    rows = lines(at)
    assert [(row["Model"], row["Place"]) for row in rows] == [("fast Q4", "1"), ("other", "2–3"), ("slow F16", "2–3")]
    assert [(row["Votes"], row["Won"], row["Ties"], row["Lost"]) for row in rows] == [
        (31, 30, 0, 1),
        (42, 6, 2, 34),
        (11, 4, 2, 5),
    ]


def test_of_an_undecided_pair_it_says_which_is_far_cheaper_to_run(kept: Workbench) -> None:
    said = words(shown(kept, votes(SLOW, FAST, "aabbtab")))
    assert "undecided" in said
    assert "**fast Q4** is 4 times smaller as a file." in said and "**fast Q4** writes 8 times faster." in said


def test_groups_that_never_met_have_a_chart_each(kept: Workbench) -> None:
    at = shown(kept, votes(FAST, OTHER, "a" * 12) + votes(side("x"), side("y"), "t" * 4))
    assert titles(at) == ["fast Q4 is ahead", "Undecided: any of them could be ahead"]
    assert "No vote connects these 2 groups" in words(at) and "votes will hardly tell" in words(at)
    assert [row["Group"] for row in lines(at)] == [1, 1, 2, 2]


def test_people_a_class_and_judges_are_apart_until_they_are_put_together(kept: Workbench) -> None:
    found = votes(FAST, SLOW, "aab") + votes(FAST, SLOW, "b" * 9, "classroom") + votes(FAST, SLOW, "b" * 4, "judge")
    at = shown(kept, found)
    assert "3 votes count. Apart: a class together (9), judging models (4)." in words(at)
    at.button_group(key="ranking-voters").set_value(["people", "class"]).run()
    assert "12 votes count. Apart: judging models (4)." in words(at)
    assert {row["Votes"] for row in lines(at)} == {12}
    at.button_group(key="ranking-voters").set_value([]).run()
    assert "No vote is left to rank" in words(at) and not at.exception


def test_votes_on_one_kind_of_question(kept: Workbench) -> None:
    found = votes(FAST, SLOW, "aa", category="code") + votes(FAST, OTHER, "bbb", category="reasoning", language="fr")
    at = shown(kept, found)
    at.selectbox(key="ranking-category").set_value("code").run()
    assert {row["Model"] for row in lines(at)} == {"fast Q4", "slow F16"}
    at.selectbox(key="ranking-category").set_value(None).run()
    at.selectbox(key="ranking-language").set_value("fr").run()
    assert {row["Model"] for row in lines(at)} == {"fast Q4", "other"}


def test_style_can_be_taken_out(kept: Workbench) -> None:
    at = shown(kept, votes(FAST, SLOW, "aabab") + votes(side("bare"), Side(label="mute"), "a"))
    at.toggle(key="ranking-style").set_value(True).run()
    assert "What style alone does to the votes" in words(at) and "More length" in words(at)
    assert "1 vote is left out" in words(at)
    assert {row["Model"] for row in lines(at)} == {"fast Q4", "slow F16"}


def test_folded_charts_are_drawn_when_they_are_opened(kept: Workbench) -> None:
    at = shown(kept, votes(FAST, SLOW, "aaaaaaaaab"))
    at.session_state["ranking-pairs"] = True
    at.session_state["ranking-costs"] = True
    at.run()
    assert not at.exception
    assert titles(at)[1:] == [
        "Points won of 100: most clearly fast Q4 against slow F16, 90%",
        "Votes between any two: everybody has met everybody",
        "fast Q4 is ahead in both",
    ]


def test_votes_come_in_once_and_what_cannot_be_read_is_said(kept: Workbench) -> None:
    at = shown(kept, votes(FAST, SLOW, "ab"))
    theirs = exchange.export(votes(FAST, SLOW, "abt", "classroom"), "comparia", "csv")
    at.file_uploader(key="ranking-import").set_value(("votes.csv", theirs, "text/csv")).run()
    assert "3 votes came in." in words(at) and kept.votes.count(PERSON) == 5
    at.file_uploader(key="ranking-import").set_value(("again.csv", theirs, "text/csv")).run()
    assert "0 votes came in. 3 were here already." in words(at) and kept.votes.count(PERSON) == 5
    at.file_uploader(key="ranking-import").set_value(("other.csv", b"name,age\nAda,36\n", "text/csv")).run()
    assert "It has: name, age" in words(at)
    part = b"model_a,model_b,winner\nfast Q4,other,tie\n,,\n"
    at.file_uploader(key="ranking-import").set_value(("part.csv", part, "text/csv")).run()
    assert "1 vote came in." in words(at) and "1 votes that do not name both models" in words(at)


def test_names_and_places_in_french(kept: Workbench) -> None:
    at = shown(kept, votes(side("*gras* <b>"), SLOW, "a" * 20), lang="fr")
    assert not at.exception and titles(at)
    assert "*gras* <b>" in [str(value) for row in lines(at) for value in row.values()]
