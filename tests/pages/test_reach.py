"""Which models the Chat page reaches: endpoints that are connected, and local models loaded as is chosen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.models.catalog import EMBEDDED_ID
from core.models.local.model_settings import ModelSettings
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.models.remote.misbehaving import Misbehaving
from tests.pages.sitting import Sitting

QUESTION = "What is the capital of France?"
TINY = "tiny · 127.0.0.1"
KEY = "sk-canary-0123456789"


@pytest.fixture
def server(workbench: Workbench) -> Iterator[Misbehaving]:
    with Misbehaving() as running:
        yield running
    for connection in workbench.connections.list(PERSON):
        workbench.connections.disconnect(PERSON, connection.base_url)


def connect(page: Sitting, url: str, key: str = "", model: str = "") -> Sitting:
    field(page, "url").set_value(url)
    field(page, "key").set_value(key)
    field(page, "model").set_value(model)
    return page.press("connect-connect")


def field(page: Sitting, name: str) -> Any:
    return next(box for box in page.at.text_input if str(box.key).startswith(f"connect-{name}-"))


def widget(page: Sitting, name: str) -> Any:
    """A widget of the model's settings; the rest of its key is the conversation's and the model's."""
    kinds = [page.at.number_input, page.at.toggle, page.at.button_group, page.at.segmented_control]
    return next(w for kind in kinds for w in kind if str(w.key).startswith(f"{name}-{page.id or 'new'}-"))


def options(page: Sitting) -> list[str]:
    return list(page.at.selectbox(key=f"model-{page.id or 'new'}").options)


def pick(page: Sitting, label: str) -> Sitting:
    page.at.selectbox(key=f"model-{page.id or 'new'}").select(label)
    return page.run()


def captions(page: Sitting) -> list[str]:
    """Markdown's backslashes left out."""
    return [text.replace("\\", "") for text in page.captions()]


def memory(page: Sitting) -> dict[str, str]:
    shown = [json.loads(element.proto.json)[0] for element in page.at.get("bidi_component")]
    (line,) = [one for one in shown if "figures" in one and one["figures"][0]["label"] == "Memory"]
    return {figure["label"]: figure["value"] for figure in line["figures"]}


def test_a_connected_model_is_picked_and_answers(workbench: Workbench, server: Misbehaving) -> None:
    url = server.url("well")
    page = connect(Sitting(workbench), f" {url}/ ", KEY)
    assert page.errors() == []
    assert [field(page, name).value for name in ("url", "key", "model")] == ["", "", ""], "the fields are empty again"
    assert any("127.0.0.1" in text and "1 model" in text for text in captions(page))
    assert options(page)[1:] == [TINY]
    pick(page, TINY)
    assert any(text == ":material/computer: on this machine" for text in captions(page))
    page.ask(QUESTION).answered()
    assert page.shown() == [QUESTION, "The capital is Paris."]
    answer = page.messages()[-1]
    assert (answer.model_id, answer.model_name) == (f"{url}#tiny", "tiny")
    assert server.asked[-1].headers["authorization"] == f"Bearer {KEY}"
    again = Sitting(workbench, c=page.id or "")
    assert again.at.selectbox(key=f"model-{page.id}").value == f"{url}#tiny"


def test_disconnecting_takes_the_models_away_but_not_the_conversation(
    workbench: Workbench, server: Misbehaving
) -> None:
    url = server.url("well")
    page = pick(connect(Sitting(workbench), url, KEY), TINY).ask(QUESTION).answered()
    page.press(f"connect-disconnect-{url}")
    assert workbench.connections.list(PERSON) == []
    assert options(Sitting(workbench)) == options(page)[:1]
    again = Sitting(workbench, c=page.id or "")
    assert options(again)[1:] == [TINY] and again.shown() == page.shown()
    again.ask("And now?").answered()
    assert "authorization" not in server.asked[-1].headers


def test_without_its_key_the_error_says_what_to_do(workbench: Workbench, server: Misbehaving) -> None:
    kept = workbench.conversations.create(PERSON, model_id=f"{server.url('refuses-401')}#tiny")
    page = Sitting(workbench, c=kept.id).ask(QUESTION).answered()
    (error,) = page.errors()
    assert "Connect the endpoint again with its key" in error and page.shown()[0] == QUESTION


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [("refuses-401", "did not accept the key"), ("lists-html", "a web page"), ("no-status", "cannot be reached")],
)
def test_an_endpoint_that_cannot_be_used_is_said_and_what_was_typed_stays(
    workbench: Workbench, server: Misbehaving, behaviour: str, says: str
) -> None:
    url = server.url(behaviour)
    page = connect(Sitting(workbench), url, KEY)
    (error,) = page.errors()
    assert says in error and "canary" not in error
    assert (field(page, "url").value, field(page, "key").value) == (url, KEY)
    assert len(options(page)) == 1 and workbench.connections.list(PERSON) == []
    assert len(page.at.header) == 1, "the rest of the page is there"


def test_an_address_that_is_none(workbench: Workbench) -> None:
    (error,) = connect(Sitting(workbench), "localhost:8080").errors()
    assert "does not begin with http" in error


def test_a_model_that_an_endpoint_does_not_list_is_named(workbench: Workbench, server: Misbehaving) -> None:
    page = connect(Sitting(workbench), server.url("well"), model="hidden")
    assert server.asked == [] and options(page)[1:] == ["hidden · 127.0.0.1"]
    pick(page, "hidden · 127.0.0.1").ask(QUESTION).answered()
    assert server.asked[-1].body["model"] == "hidden"


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("http://192.168.1.5:8080/v1", ":material/lan: on your network"),
        ("https://api.example.org/v1", ":material/public: leaves for api.example.org"),
    ],
)
def test_where_a_question_goes_stands_beside_the_model(workbench: Workbench, address: str, place: str) -> None:
    kept = workbench.conversations.create(PERSON, model_id=f"{address}#far")
    page = Sitting(workbench, c=kept.id)
    assert place in captions(page)
    french = Sitting(workbench, c=kept.id, lang="fr")
    assert options(french) == options(page), "labels are the same in every language"


def test_what_an_endpoint_does_not_take_is_said(workbench: Workbench, server: Misbehaving) -> None:
    plain, llamacpp = server.url("well"), server.url("lists-llamacpp")
    page = connect(connect(Sitting(workbench), plain), llamacpp)
    pick(page, TINY)
    assert any("127.0.0.1 does not take this" in text for text in captions(page))
    pick(page, "smol · 127.0.0.1")
    assert not any("does not take this" in text for text in captions(page))


@pytest.mark.model
def test_a_local_model_is_loaded_as_is_chosen(workbench: Workbench) -> None:
    page = Sitting(workbench).set(temperature=0.0, max_tokens=2)
    before = memory(page)
    assert any("is loaded with the next question" in text for text in captions(page))
    widget(page, "context").set_value(512)
    widget(page, "kv-type").set_value("q8_0")
    widget(page, "parallel").set_value(2)
    page.run()
    chosen = ModelSettings(context_length=512, kv_type="q8_0", parallel=2)
    assert memory(page)["KV cache"] != before["KV cache"] and memory(page)["Weights"] == before["Weights"]
    page.ask(QUESTION).answered()
    assert chosen in [one.settings for one in workbench.shelf.loaded()]
    finished = page.messages()[-1].finished
    assert finished is not None and finished.usage.context_length == 512
    again = Sitting(workbench, c=page.id or "")
    assert widget(again, "context").value == 512 and widget(again, "parallel").value == 2
    assert any("is in memory with these settings" in text for text in captions(again))
    widget(again, "context").set_value(1024)
    again.run()
    assert any("loaded anew with the next question" in text for text in captions(again))
    workbench.shelf.unload(EMBEDDED_ID)


def test_each_local_model_has_settings_of_its_own(workbench: Workbench, smollm: Path) -> None:
    folder = workbench.settings.models
    folder.mkdir(exist_ok=True)
    other = folder / "other.gguf"
    shutil.copyfile(smollm, other)
    try:
        page = Sitting(workbench)
        widget(page, "context").set_value(512)
        page.run()
        pick(page, options(page)[1])
        assert widget(page, "context").value == 4096
    finally:
        shutil.rmtree(folder)


def test_too_little_memory_is_said_before_loading(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbench.shelf, "_budget", 150_000_000)
    page = Sitting(workbench)
    (error,) = page.errors()
    assert "shorter context" in error and "0.15 GB can be used" in error
    longest = next(text for text in captions(page) if "longest context that fits" in text)
    tokens = int(longest.split("fits: ")[1].split(" tokens")[0].replace(",", ""))
    widget(page, "context").set_value(tokens)
    assert page.run().errors() == []
    monkeypatch.setattr(workbench.shelf, "_budget", 50_000_000)
    assert any("no context fits" in text for text in captions(Sitting(workbench)))


def test_a_quantized_cache_without_flash_attention_is_said(workbench: Workbench) -> None:
    page = Sitting(workbench)
    widget(page, "kv-type").set_value("q4_0")
    widget(page, "flash").set_value("off")
    page.run()
    assert any(text.startswith(":red[") and "flash attention" in text for text in captions(page))
    page.ask(QUESTION)
    assert page.messages() == [] and page.shown() == [QUESTION]
    assert len(page.errors()) == 1
