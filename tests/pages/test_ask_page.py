"""Asking one's documents on the page: a real collection, a model that says what it is told to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.rag.asking import kept_of
from core.rag.files import Incoming
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.e2e.serving import PATIENCE_S
from tests.pages.sitting import Sitting
from tests.rag import making
from tests.rag.test_answer import Scripted

QUESTION = "How does photosynthesis make sugar?"
ANSWER = "Photosynthesis turns water and carbon dioxide into sugar [1]. The moon is made of green cheese indeed."


@pytest.fixture(scope="module")
def collection(shared_workbench: Workbench, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three pages of a PDF and a text."""
    collections = shared_workbench.collections
    made = collections.create(PERSON, "Island", chunker="pages", size=64, overlap=0)
    pdf = making.pdf(tmp_path_factory.mktemp("pdf") / "island.pdf").read_bytes()
    text = "\n\n".join(making.FRENCH).encode()
    job = collections.add(PERSON, made.id, [Incoming("island.pdf", pdf), Incoming("ile.txt", text)])
    assert job.wait(PATIENCE_S) and job.state == "done"
    collections.index.sync(PERSON, collections.get(PERSON, made.id))
    return made.id


@pytest.fixture
def model(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """Answers whatever the page asks, in place of a model of this machine."""
    scripted = Scripted(*[ANSWER] * 8)
    monkeypatch.setattr(workbench.document_chat._chat, "_model", lambda *_: scripted)
    return scripted


@pytest.fixture
def page(workbench: Workbench) -> Iterator[Sitting]:
    sitting = Sitting(workbench)
    sitting.at.switch_page("../rag/page.py")
    yield sitting.run()


def ask(page: Sitting, question: str = QUESTION) -> Sitting:
    page.at.chat_input(key="ask-question").set_value(question)
    page.run()
    return page.answered()


def texts(page: Sitting) -> str:
    return "\n".join([one.value for one in page.at.markdown] + page.captions()).replace("\\", "")


def source_buttons(page: Sitting) -> list[str]:
    return [one.key for one in page.at.button if one.key and one.key.startswith("source-")]


def test_without_documents_the_first_step_is_a_button(workbench: Workbench) -> None:
    here = [one.id for one in workbench.collections.list(PERSON)]
    if here:
        pytest.skip("the module's collection is there already")
    page = Sitting(workbench)
    page.at.switch_page("../rag/page.py")
    page.run()
    assert "Talk to your own documents" in [one.value for one in page.at.header]
    page.press("ask-add-documents")
    assert page.at.query_params["view"] == ["collections"] or page.at.query_params["view"] == "collections"


@pytest.mark.usefixtures("collection")
def test_an_answer_cites_and_marks_what_nothing_supports(page: Sitting, model: Scripted) -> None:
    ask(page)
    (cited,) = page.components("cited_text")
    assert "into sugar \ue0101\ue011." in cited["text"]
    assert cited["text"].endswith("green cheese indeed.\ue012uncited\ue013")
    assert cited["names"]["1"] == "island.pdf, p. 2"
    assert making.ENGLISH[1] in model.asked[0].messages[-1].content
    assert any("rest on what they cite: 1 of 2" in one.label for one in page.at.expander)


@pytest.mark.usefixtures("collection", "model")
def test_a_click_opens_the_page_with_the_passage_highlighted(page: Sitting) -> None:
    ask(page)
    page.press(source_buttons(page)[0])
    (marked,) = page.components("marked_text")
    assert "Photosynthesis turns water" in marked["passage"]
    assert "lighthouse keeper" in marked["before"] and "parliament" in marked["after"]
    assert "island.pdf, p. 2" in texts(page)
    assert "Meaning: rank 1" in texts(page)
    assert [one.captions for one in page.at.image] == [["Page 2 of island.pdf"]]
    page.press("close-source")
    assert page.components("marked_text") == []


@pytest.mark.usefixtures("collection", "model")
def test_the_inside_shows_the_prompt_by_origin(page: Sitting) -> None:
    ask(page)
    (inside,) = [one for one in page.at.expander if one.label == "The inside"]
    page.at.session_state[inside.key] = True
    page.run()
    (spans,) = page.components("span_text")
    labels = [span["label"] for span in spans["spans"]]
    assert labels[0] == "system" and labels[-1] == "question" and "documents [1]" in labels
    assert "Searched for: How does photosynthesis make sugar?" in texts(page)


@pytest.mark.usefixtures("collection")
def test_whether_all_of_it_fits_is_said(page: Sitting) -> None:
    assert "with “Whole documents” under *Search* nothing can be missed" in texts(page)


@pytest.mark.usefixtures("collection")
def test_what_the_documents_change_is_asked_side_by_side(page: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Scripted(*[ANSWER] * 8)
    monkeypatch.setattr(page.workbench.document_chat._chat, "_model", lambda *_: model)
    ask(page)
    monkeypatch.setattr(type(page.workbench), "chat_model", lambda *_: model)
    (box,) = [one for one in page.at.expander if one.label == "What do the documents change?"]
    page.at.session_state[box.key] = True
    page.run()
    page.press("ablation-start")
    job = page.workbench.jobs.list(PERSON, "ablation")[0]
    assert job.wait(PATIENCE_S) and job.state == "done"
    page.run()
    assert [row.name for row in job.result] == ["none", "dense", "bm25", "hybrid", "whole"]
    assert [bool(row.grounding.passages) for row in job.result] == [False, True, True, True, True]
    shown = texts(page)
    assert all(f"**{name}**" in shown for name in ("No documents", "Meaning", "Keywords", "Both", "Whole documents"))


@pytest.mark.usefixtures("collection")
def test_how_it_is_searched_is_kept_with_the_conversation(page: Sitting, model: Scripted) -> None:
    page.at.segmented_control(key="how-method-new").set_value("bm25")
    page.at.slider(key="how-limit-new").set_value(2)
    page.run()
    ask(page)
    conversation = page.workbench.conversations.get(PERSON, page.id or "")
    kept = kept_of(conversation)
    assert kept is not None
    assert (kept.how.options.method, kept.how.options.limit) == ("bm25", 2)
    again = Sitting(page.workbench, c=page.id or "")
    again.at.switch_page("../rag/page.py")
    again.at.query_params["c"] = page.id
    again.run()
    assert again.at.slider(key=f"how-limit-{page.id}").value == 2
    assert len(model.asked) == 1


@pytest.mark.usefixtures("collection", "model")
def test_in_french(workbench: Workbench) -> None:
    page = Sitting(workbench, lang="fr")
    page.at.switch_page("../rag/page.py")
    ask(page.run())
    (cited,) = page.components("cited_text")
    assert cited["words"]["uncited"] == "sans source"
    assert "Interrogez vos documents" in [one.placeholder for one in page.at.chat_input]


@pytest.mark.usefixtures("collection")
def test_an_answer_with_formulas_is_drawn_by_streamlit(page: Sitting, model: Scripted) -> None:
    model.answers = ["Photosynthesis turns water and carbon dioxide into sugar: $6 CO_2$ [1]. Cheese is green indeed."]
    ask(page)
    assert page.components("cited_text") == []
    assert ":green-badge[1]" in texts(page) and ":orange-badge[:material/flag: no source]" in texts(page)


@pytest.mark.usefixtures("collection", "model")
def test_ranks_and_map_are_drawn(page: Sitting) -> None:
    ask(page)
    (inside,) = [one for one in page.at.expander if one.label == "The inside"]
    page.at.session_state[inside.key] = True
    page.run()
    message = page.messages()[-1]
    for name in ("Ranks", "Map", "Left out", "Context"):
        page.at.segmented_control(key=f"inside-tab-{message.id}").set_value(name)
        page.run()
        drawn = len(page.at.get("plotly_chart"))
        assert drawn == (1 if name in ("Ranks", "Map") else 0), name
        assert page.errors() == []


@pytest.mark.usefixtures("collection", "model")
def test_on_the_chat_page_it_leads_back_to_its_documents(page: Sitting) -> None:
    ask(page)
    chat = Sitting(page.workbench, c=page.id or "")
    assert any("held with documents" in caption for caption in chat.captions())
    chat.press("to-documents")
    assert chat.id == page.id and chat.at.chat_input(key="ask-question")
    plain = page.workbench.conversations.create(PERSON)
    assert "to-documents" not in [button.key for button in Sitting(page.workbench, c=plain.id).at.button]
