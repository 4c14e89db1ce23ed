"""Writing a question: what is sent with it, what cannot be, and that nothing typed or attached is lost."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextArea

from core.attachments import LIMIT_FILES, Attachment
from core.workbench import Workbench
from pages.chat.composer import Submitted
from pages.ui import resources
from tests.e2e.serving import PATIENCE_S

NOTES = Attachment("notes.md", "# Notes\n", "markdown")


def page() -> None:
    """A page that keeps what was sent, and asks nothing."""
    import streamlit as st

    from core.chat import Asking
    from pages.chat import composer
    from pages.ui import owner, resources

    st.session_state.setdefault("sent", [])
    sent = composer.show(resources.workbench(), owner.current(), None, Asking())
    idea = "An idea" if st.button("idea", key="idea") else None
    if question := sent or composer.with_waiting(idea):
        st.session_state["sent"].append(question)
        composer.clear()
        st.rerun()


@pytest.fixture
def at(workbench: Workbench) -> AppTest:
    return AppTest.from_function(page, default_timeout=PATIENCE_S).run()


def send(at: AppTest, text: str, *files: tuple[str, bytes]) -> AppTest:
    entry = at.chat_input(key="question")
    entry.set_value(text)
    for name, data in files:
        entry.upload(name, data)
    at.run()
    assert not at.exception
    return at


def sent(at: AppTest) -> list[Submitted]:
    # The script's own classes are those of this process.
    return list(at.session_state["sent"])


def typed(at: AppTest) -> str:
    """What the input was told to hold."""
    return str(at.chat_input(key="question").proto.value)


def errors(at: AppTest) -> str:
    return " ".join(box.value for box in at.error).replace("\\", "")


def waiting(at: AppTest) -> list[str]:
    return [button.label.replace("\\", "") for button in at.button if str(button.key).startswith("pending-")]


def beginning(at: AppTest) -> TextArea:
    (area,) = (area for area in at.text_area if area.label == "Begin the answer with…")
    return area


def test_a_question_is_sent_as_it_was_typed(at: AppTest) -> None:
    send(at, "  What is a token?\n")
    assert sent(at) == [Submitted("  What is a token?\n")]
    assert typed(at) == "" and not at.error


def test_files_go_with_it_and_not_with_the_next(at: AppTest) -> None:
    send(at, "What is this?", ("notes.md", b"# Notes\r\n"), ("a.csv", b"a,b"))
    send(at, "And then?")
    assert sent(at) == [
        Submitted("What is this?", (NOTES, Attachment("a.csv", "a,b", "csv"))),
        Submitted("And then?"),
    ]


def test_files_alone_are_a_question_and_white_space_is_none(at: AppTest) -> None:
    send(at, "", ("notes.md", b"# Notes\n"))
    assert sent(at) == [Submitted("", (NOTES,))]
    send(at, " \n ")
    assert len(sent(at)) == 1 and "Type a question" in errors(at)


def test_a_file_that_cannot_be_read_keeps_all_the_rest(at: AppTest) -> None:
    send(at, "What is this?", ("notes.md", b"# Notes\n"), ("report.pdf", b"%PDF-1.7"), ("x.bin", b"\0\1\2"))
    assert sent(at) == [] and typed(at) == "What is this?"
    assert len(at.error) == 2 and "report.pdf" in errors(at) and "x.bin" in errors(at)
    assert "RAG page" in errors(at)
    assert [label.split(" · ")[0] for label in waiting(at)] == ["notes.md"]
    send(at, "What is this?")
    assert sent(at) == [Submitted("What is this?", (NOTES,))]
    assert not at.error and waiting(at) == []


def test_a_file_that_waits_can_be_taken_out(at: AppTest) -> None:
    send(at, "Q", ("notes.md", b"# Notes\n"), ("report.pdf", b"%PDF-1.7"))
    at.button(key="pending-0").click().run()
    assert waiting(at) == []
    send(at, "Q")
    assert sent(at) == [Submitted("Q")]


def test_more_files_than_can_be_are_said_and_the_first_ones_kept(at: AppTest) -> None:
    send(at, "Q", *((f"{number}.txt", b"text") for number in range(LIMIT_FILES + 1)))
    assert sent(at) == [] and len(waiting(at)) == LIMIT_FILES
    assert f"{LIMIT_FILES} can be" in errors(at)


def test_the_beginning_of_the_answer_is_for_one_question(at: AppTest) -> None:
    beginning(at).set_value("Dear pupils,").run()
    send(at, "Write to the class.")
    send(at, "And to the parents.")
    assert sent(at) == [Submitted("Write to the class.", (), "Dear pupils,"), Submitted("And to the parents.")]
    assert beginning(at).value == ""


def test_the_beginning_comes_back_with_a_question_that_could_not_be_sent(at: AppTest) -> None:
    beginning(at).set_value("Dear pupils,").run()
    send(at, "Write.", ("report.pdf", b"%PDF-1.7"))
    assert beginning(at).value == "Dear pupils,"
    send(at, "Write.")
    assert sent(at) == [Submitted("Write.", (), "Dear pupils,")]


def test_a_question_from_elsewhere_takes_what_waits_here(at: AppTest) -> None:
    send(at, "Q", ("notes.md", b"# Notes\n"), ("report.pdf", b"%PDF-1.7"))
    at.button(key="idea").click().run()
    assert sent(at) == [Submitted("An idea", (NOTES,))] and waiting(at) == []


def test_the_draft_is_counted_with_what_waits_here(at: AppTest) -> None:
    def counted() -> int:
        draft = resources.drafts().get(at.session_state["composer-draft"])
        found = draft and draft.count("What is this?")
        assert found
        return found.prompt_tokens

    alone = counted()
    send(at, "What is this?", ("notes.md", b"# Notes\n" * 40), ("report.pdf", b"%PDF-1.7"))
    with_file = counted()
    beginning(at).set_value("These are notes about").run()
    assert alone < with_file < counted()
