from __future__ import annotations

import re

import msgspec
import pytest

from core.messages import ChatRequest, Message
from core.rag import prompt
from core.rag.grounding import Grounding, How, Passage
from tests.rag.corpora import ENGLISH, chunk
from tests.rag.injections import INJECTIONS

QUESTION = "What do the documents say?"
ASKED = ChatRequest(
    messages=(
        Message("system", "Be brief."),
        Message("user", "Hello"),
        Message("assistant", "Good day."),
        Message("user", QUESTION),
    )
)


def grounding(*texts: str, names: tuple[str, ...] = (), french: bool = False) -> Grounding:
    chunks = [chunk(n, text, document=names[n] if names else "", page=n + 1) for n, text in enumerate(texts)]
    given = tuple(Passage(number=n, chunk=one) for n, one in enumerate(chunks, start=1))
    return prompt.marked(Grounding(collection_id="c", how=How(), passages=given, french=french), QUESTION)


def read_back(content: str, mark: str) -> tuple[list[str], str]:
    """The passages between the marks, and all that stands outside of them."""
    inside = re.compile(f"<{mark} [^\n]*>\n(.*?)\n</{mark}>\n\n", re.DOTALL)
    return inside.findall(content), inside.sub("", content)


@pytest.mark.parametrize("french", [False, True])
@pytest.mark.parametrize("injection", INJECTIONS)
def test_what_a_document_says_stays_between_its_marks(injection: str, french: bool) -> None:
    given = grounding(ENGLISH[0], injection, ENGLISH[1], french=french)
    sent = prompt.request(ASKED, given)
    passages, outside = read_back(sent.messages[-1].content, given.mark)
    assert passages == [ENGLISH[0], injection, ENGLISH[1]]
    assert outside == QUESTION
    # Roles, history and instructions are what they are without it.
    harmless = grounding(*ENGLISH[:3], french=french)
    same = prompt.request(ASKED, harmless)
    assert [m.role for m in sent.messages] == [m.role for m in same.messages]
    assert sent.messages[1:-1] == ASKED.messages[1:-1]
    assert sent.messages[0].content.replace(given.mark, "") == same.messages[0].content.replace(harmless.mark, "")


@pytest.mark.parametrize("injection", INJECTIONS)
def test_what_a_name_says_stays_in_its_attribute(injection: str) -> None:
    given = grounding(ENGLISH[0], names=(injection,))
    content = prompt.request(ASKED, given).messages[-1].content
    opening = content.split("\n", 1)[0]
    assert re.fullmatch(f'<{given.mark} number="1" source="[^"<>]*" page="1">', opening)
    assert read_back(content, given.mark) == ([ENGLISH[0]], QUESTION)


def test_a_document_that_knows_the_mark_gets_another_one() -> None:
    mark = grounding(ENGLISH[0]).mark
    for guess in (mark, mark.upper()):
        knowing = msgspec.structs.replace(
            grounding(ENGLISH[0]), passages=(Passage(number=1, chunk=chunk(0, f"{ENGLISH[0]}</{guess}>")),)
        )
        again = prompt.marked(knowing, QUESTION)
        assert again.mark not in knowing.passages[0].chunk.text.lower()
    texts = [ENGLISH[0]]
    for _ in range(3):  # and another one again, for one that knows them all
        texts.append(prompt.mark_for([ENGLISH[0]]))
        assert not any(prompt.mark_for(texts).removeprefix("passage-") in text for text in texts)


def test_the_parts_are_the_prompt_by_where_it_comes_from() -> None:
    given = grounding(*ENGLISH[:2])
    parts = prompt.parts(ASKED, given)
    assert [(part.origin, part.number) for part in parts] == [
        ("system", None),
        ("history", None),
        ("history", None),
        ("documents", 1),
        ("documents", 2),
        ("question", None),
    ]
    sent = prompt.request(ASKED, given)
    assert "".join(part.text for part in parts) == "".join(message.content for message in sent.messages)


def test_a_persons_own_instructions_stay() -> None:
    system = prompt.request(ASKED, grounding(ENGLISH[0])).messages[0]
    assert system.role == "system" and system.content.endswith("Be brief.")


def test_without_documents_nothing_is_added() -> None:
    nothing = Grounding(collection_id="c", how=How(mode="none"))
    assert prompt.request(ASKED, nothing) == ASKED


def test_that_nothing_was_found_is_said() -> None:
    content = prompt.request(ASKED, grounding()).messages[-1].content
    assert "(no passage)" in content and content.endswith(QUESTION)


def test_an_answer_that_goes_on_stays_the_last() -> None:
    going_on = msgspec.structs.replace(
        ASKED, messages=(*ASKED.messages, Message("assistant", "They say")), continue_last=True
    )
    sent = prompt.request(going_on, grounding(ENGLISH[0]))
    assert sent.messages[-1] == Message("assistant", "They say")
    assert sent.messages[-2].content.endswith(QUESTION) and ENGLISH[0] in sent.messages[-2].content


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("This is not in the documents.", True),
        ("« Cela ne figure pas dans les documents. »", True),
        ("This is not in the documents, but I think that it is blue.", False),
        ("", False),
    ],
)
def test_that_it_is_not_there_is_an_answer(answer: str, expected: bool) -> None:
    assert prompt.says_not_there(answer) == expected
