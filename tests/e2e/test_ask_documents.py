"""Documents asked in a real browser: a PDF is dropped, asked, cited; a click shows the page with the passage marked."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page, expect

from core.chat import Asking, asking_to_settings
from core.events import Finished, Usage
from core.messages import ChatRequest, Sampling
from core.rag.asking import DOCUMENTS, Kept
from core.rag.grounding import Grounding, How, passages
from core.rag.retrieve import Options
from core.rag.values import Hit
from core.store.chunks import Chunks
from core.store.documents import Documents
from core.store.groundings import Groundings
from pages.ui.owner import PERSON
from tests.e2e.chatting import Watch, Workbench
from tests.rag import making

pytestmark = [pytest.mark.e2e, pytest.mark.model]

QUESTION = "How does photosynthesis make sugar?"


@pytest.mark.timeout(300)
def test_a_citation_opens_its_page_with_the_passage_marked(
    page: Page, watch: Watch, bench: Workbench, tmp_path: Path
) -> None:
    page.goto(f"{bench.server.address}rag?view=collections&collection=new")
    page.get_by_label("Name of the collection").fill("Photosynthesis")
    page.get_by_label("Name of the collection").press("Enter")
    pdf = making.pdf(tmp_path / "sugar.pdf", titles=("Light", "Plants", "Parliament"))
    page.locator("input[type=file]").set_input_files([pdf])
    expect(page.get_by_text("ready · 3 pages")).to_be_visible()
    (collection,) = [one for one in Documents(bench.database).list(PERSON) if one.name == "Photosynthesis"]
    page.goto(asked_shortly(bench, collection.id))
    page.get_by_placeholder("Ask your documents").fill(QUESTION)
    page.get_by_placeholder("Ask your documents").press("Enter")
    source = page.get_by_role("button", name=re.compile(r"\[1\] sugar\.pdf")).first
    expect(source).to_be_visible()
    expect(page.get_by_text("The inside")).to_be_visible()  # the answer has ended
    expect(page.get_by_text(re.compile(r"^documents\s*[0-9]+ \("))).to_be_visible()  # in the context bar
    source.click()
    expect(page.locator("mark")).to_contain_text("Photosynthesis turns water")
    expect(page.get_by_text(re.compile(r"Page \d of sugar\.pdf"))).to_be_visible()
    expect(page.get_by_text(re.compile("Meaning: rank 1"))).to_be_visible()
    page.get_by_text("The inside").click()
    prompt = page.get_by_role("document", name="The prompt")
    expect(prompt).to_contain_text(QUESTION)
    expect(prompt).to_contain_text("documents [1]")
    page.goto(answered(bench, collection.id))
    expect(page.get_by_text("no source")).to_be_visible()
    page.set_viewport_size(
        {"width": 1280, "height": 480}
    )  # as under a long answer: the source is below what is in sight
    page.get_by_role("button", name=re.compile("Open source 1")).click()
    expect(page.locator("mark")).to_contain_text("Every speaker stood on the same rock.")
    expect(page.get_by_role("button", name="Close", exact=True)).to_be_in_viewport()


def answered(bench: Workbench, collection_id: str) -> str:
    """The address of a conversation with an answer as a larger model gives it: it cites, and says something more."""
    chunks = Chunks(bench.database).chunks(PERSON, collection_id)
    hits = [Hit(chunk, 1.0, {"dense": 1.0}, {"dense": 1}) for chunk in chunks if "parliament" in chunk.text]
    grounding = Grounding(collection_id=collection_id, how=How(), asked="Where?", passages=passages(hits))
    conversation = bench.conversations.create(PERSON)
    question = bench.conversations.add_question(PERSON, conversation.id, "Where did they meet?", parent_id=None)
    answer = bench.conversations.begin_answer(
        PERSON, conversation.id, parent_id=question.id, model_id="m", model_name="M", request=ChatRequest()
    )
    text = "The parliament of the island met **outdoors** until 1798 [1]. Its members wore green woollen hats."
    bench.conversations.append(answer.id, text)
    bench.conversations.finish(
        answer.id, Finished("stop", Usage(prompt_tokens=9, generated_tokens=9)), status="complete"
    )
    Groundings(bench.database).put(PERSON, answer.id, grounding)
    return f"{bench.server.address}rag?c={conversation.id}"


def asked_shortly(bench: Workbench, collection_id: str) -> str:
    """The address of a conversation without messages, asked greedily, its answers short."""
    kept = Kept(collection_id=collection_id, how=How(options=Options(limit=2)))
    asking = Asking(sampling=Sampling(temperature=0.0), max_tokens=24)
    settings = {**asking_to_settings(asking), DOCUMENTS: msgspec.to_builtins(kept)}
    conversation = bench.conversations.create(PERSON, settings=settings)
    return f"{bench.server.address}rag?c={conversation.id}"
