"""The Providers page as a person uses it, with real servers on loopback: adding, testing, listing, costs, routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.models.remote.permit import Budget
from core.models.routes import ByTask, Cheapest, LocalFirst, Row
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.models.remote.lists import ACCEPTED_KEY
from tests.models.remote.misbehaving import Misbehaving
from tests.pages.sitting import Sitting

KEY = "sk-canary-0123456789"


class Providers(Sitting):
    """A person who opened the Providers page."""

    def __init__(self, workbench: Workbench, **address: str) -> None:
        super().__init__(workbench, **address)
        self.at.switch_page("../providers/page.py")
        self.run()

    def choose(self, kind: str, preset: str | None = None) -> Providers:
        """Picks a kind of provider, and one of that kind."""
        widget(self, "button_group", "add-kind").set_value(kind)
        self.run()
        if preset:
            widget(self, "button_group", f"add-preset-{kind}").set_value(preset)
            self.run()
        return self

    def add(self, address: str, *, key: str = "", model: str = "", headers: str = "") -> Providers:
        """Connects any other address."""
        self.choose("other")
        fields = {"url": address, "key": key, "model": model}
        for name, value in fields.items():
            field(self, name).set_value(value)
        widget(self, "text_area", "add-other").set_value(headers)
        return self.connect("other")

    def connect(self, preset: str) -> Providers:
        button = next(b for b in self.at.button if str(b.key).startswith(f"add-{preset}-") and b.label == "Connect")
        button.click()
        self.run()
        return self

    def open(self, key: str) -> Providers:
        """Unfolds what is drawn only when it is open."""
        self.at.session_state[key] = True
        self.run()
        return self

    def texts(self) -> str:
        """All that is said on the page, Markdown's backslashes left out."""
        drawn = [*self.at.markdown, *self.at.caption, *self.at.header, *self.at.subheader]
        return "\n".join(element.value for element in drawn).replace("\\", "").replace("\u00a0", " ")


def widget(page: Sitting, kind: str, key: str) -> Any:
    """The widget of this kind whose key begins so."""
    return next(one for one in page.at.get(kind) if str(one.key).startswith(key))


def field(page: Sitting, name: str) -> Any:
    return next(
        box for box in page.at.text_input if str(box.key).startswith("add-") and str(box.key).endswith(f"-{name}")
    )


@pytest.fixture
def server(workbench: Workbench) -> Iterator[Misbehaving]:
    with Misbehaving() as running:
        yield running
    connections = workbench.connections
    for connection in connections.list(PERSON):
        connections.disconnect(PERSON, connection.base_url)
        connections.set_budget(PERSON, connection.provider, None)
    for id in connections.favourites(PERSON):
        connections.set_favourite(PERSON, id, False)
    for route in workbench.routes.list(PERSON):
        workbench.routes.remove(PERSON, route.id)
    connections.set_local_only(PERSON, False)


@pytest.mark.parametrize(("language", "title"), [("en", "Providers"), ("fr", "Fournisseurs")])
def test_the_page_opens(workbench: Workbench, language: str, title: str) -> None:
    page = Providers(workbench, lang=language)
    assert [header.value for header in page.at.header] == [title]
    assert page.errors() == []


def test_another_address_is_added_with_its_key_and_headers(workbench: Workbench, server: Misbehaving) -> None:
    url = server.url("lists-for-key")
    page = Providers(workbench).add(url, key=ACCEPTED_KEY, headers="X-Team: maths\n\nX-Room:  12 ")
    assert page.errors() == []
    (kept,) = workbench.connections.list(PERSON)
    assert kept.base_url == url and [model.name for model in kept.models] == ["tiny"]
    sent = server.asked[-1].headers
    assert (sent["x-team"], sent["x-room"]) == ("maths", "12")
    assert "key: until this server stops" in page.texts() and ACCEPTED_KEY not in page.texts()
    assert ":material/computer: on this machine" in page.texts()
    assert next(iter(page.at.get("button_group"))).value in (None, []), "the form is put away"


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [("refuses-401", "did not accept the key"), ("lists-html", "a web page"), ("no-status", "cannot be reached")],
)
def test_what_fails_is_said_and_what_was_typed_stays(
    workbench: Workbench, server: Misbehaving, behaviour: str, says: str
) -> None:
    url = server.url(behaviour)
    page = Providers(workbench).add(url, key=KEY)
    (error,) = page.errors()
    assert says in error and KEY not in error
    assert (field(page, "url").value, field(page, "key").value) == (url, KEY)
    assert workbench.connections.list(PERSON) == []


def test_a_line_that_is_no_header_is_refused(workbench: Workbench, server: Misbehaving) -> None:
    page = Providers(workbench).add(server.url("well"), headers="X-Team maths")
    assert "header" in page.errors()[0] and server.asked == []


def test_a_preset_says_where_it_is_and_where_to_get_a_key(workbench: Workbench) -> None:
    page = Providers(workbench).choose("producer", "mistral")
    assert "leaves for Mistral" in page.texts() and "France" in page.texts() and "[get a key](https://" in page.texts()


def test_a_key_in_the_environment_needs_no_field(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", KEY)
    page = Providers(workbench).choose("producer", "mistral")
    assert "variable MISTRAL_API_KEY" in page.texts() and KEY not in page.texts()
    assert [box for box in page.at.text_input if str(box.key).startswith("add-mistral")] == []


def test_a_key_is_changed_and_forgotten(workbench: Workbench, server: Misbehaving) -> None:
    url = server.url("well")
    page = Providers(workbench).add(url, key=KEY).open(f"more-{url}")
    widget(page, "text_input", f"change-{url}").set_value(ACCEPTED_KEY)
    page.press(f"key-keep-{url}")
    found = workbench.keys.find(PERSON, url)
    assert found is not None and found.key == ACCEPTED_KEY and ACCEPTED_KEY not in page.texts()
    page.open(f"more-{url}").press(f"key-forget-{url}")
    assert workbench.keys.find(PERSON, url) is None and "no key" in page.texts()


def test_disconnecting_is_behind_the_menu(workbench: Workbench, server: Misbehaving) -> None:
    url = server.url("well")
    page = Providers(workbench).add(url, key=KEY)
    assert "Connected providers" in page.texts()
    page.open(f"more-{url}").press(f"disconnect-{url}")
    assert workbench.connections.list(PERSON) == [] and workbench.keys.find(PERSON, url) is None


def test_a_test_shows_each_step_and_what_to_do_about_the_one_that_fails(
    workbench: Workbench, server: Misbehaving
) -> None:
    page = Providers(workbench).add(server.url("no-usage"), key=KEY).press(f"test-{server.url('no-usage')}")
    said = page.texts()
    for step in ("Connected", "Models listed", "First token"):
        assert f":material/check_circle: **{step}**" in said
    assert ":material/cancel: **Tokens reported**" in said and len(page.errors()) == 1
    programs = "\n".join(code.value for code in page.at.code)
    assert "curl" in programs and "from openai import OpenAI" in programs and "fetch(" in programs
    assert KEY not in programs and "OPENAI_API_KEY" in programs


def test_a_refused_key_is_said_at_its_step(workbench: Workbench, server: Misbehaving) -> None:
    url = server.url("refuses-401")
    page = Providers(workbench).add(url, key=KEY, model="tiny").press(f"test-{url}")
    assert ":material/cancel: **Key accepted**" in page.texts() and KEY not in page.texts()
    assert ":material/remove: **First token**" in page.texts()
    assert any("Check the key" in error for error in page.errors())


def test_a_long_list_is_searched_sorted_and_starred(workbench: Workbench, server: Misbehaving) -> None:
    url = server.url("lists-many")
    page = Providers(workbench).add(url).open(f"models-{url}")
    number = len(workbench.connections.list(PERSON)[0].models)
    assert f"{number:,} models" in page.texts() and page.texts().count("**model-") == 20 < number
    widget(page, "text_input", "search-").set_value("MODEL-299")
    page.run()
    shown = [line for line in page.texts().splitlines() if line.startswith("**model-")]
    assert shown == ["**model-299**", *(f"**model-299{n}**" for n in range(10))]
    page.press(f"star-{url}#model-2995")
    assert workbench.connections.favourites(PERSON) == {f"{url}#model-2995"}
    shown = [line for line in page.texts().splitlines() if line.startswith("**model-")]
    assert shown[0] == "**model-2995**"
    assert "512 tokens" in page.texts()


def test_a_model_that_is_not_listed_is_added_by_its_name(workbench: Workbench, server: Misbehaving) -> None:
    url = server.url("well")
    page = Providers(workbench).add(url).open(f"models-{url}")
    widget(page, "text_input", f"hand-{url}").set_value("hidden")
    page.press(f"add-model-{url}")
    assert [model.name for model in workbench.connections.list(PERSON)[0].models] == ["tiny", "hidden"]


def test_a_favourite_stands_first_and_a_list_leads_to_chat(workbench: Workbench, server: Misbehaving) -> None:
    url = server.url("lists-bare")
    page = Providers(workbench).add(url).open(f"models-{url}")
    page.press(f"star-{url}#second")
    page.press(f"use-{url}#first")
    box = page.at.selectbox(key="model-new")
    assert box.value == f"{url}#first"
    assert [option.split(" ")[0] for option in box.options][::2] == ["second", "first"]


def test_local_only_keeps_back_what_leaves_and_says_so(workbench: Workbench, server: Misbehaving) -> None:
    workbench.connections.connect(PERSON, "https://api.example.org/v1", names=["far"])
    page = Providers(workbench).add(server.url("well"))
    other = Providers(workbench)
    page.at.toggle(key="local-only-False").set_value(True)
    page.run()
    assert workbench.connections.local_only(PERSON)
    chat = Sitting(workbench)
    assert not any(option.startswith("far") for option in chat.at.selectbox(key="model-new").options)
    assert any(option.startswith("tiny") for option in chat.at.selectbox(key="model-new").options)
    assert any("Local only: 1 model" in text for text in chat.captions())
    assert other.run().at.toggle(key="local-only-True").value and workbench.connections.local_only(PERSON)
    page.at.toggle(key="local-only-True").set_value(False)
    page.run()
    assert any(option.startswith("far") for option in Sitting(workbench).at.selectbox(key="model-new").options)


def test_local_only_lists_and_tests_nothing_elsewhere(workbench: Workbench, server: Misbehaving) -> None:
    url = "https://api.example.org/v1"
    workbench.connections.connect(PERSON, url, names=["far"])
    workbench.connections.set_local_only(PERSON, True)
    page = Providers(workbench).open(f"more-{url}").press(f"list-{url}")
    assert any("this machine" in error for error in page.errors())
    page = Providers(workbench).press(f"test-{url}")
    assert ":material/check_circle:" not in page.texts() and len(page.errors()) == 1


def test_the_picker_says_what_a_model_costs_and_how_far_a_route_may_go(
    workbench: Workbench, server: Misbehaving
) -> None:
    url = "https://api.mistral.ai/v1"
    workbench.connections.connect(PERSON, url, names=["mistral-small-latest"])
    far = f"{url}#mistral-small-latest"
    kept = workbench.conversations.create(PERSON, model_id=far)
    (shown,) = [text for text in Sitting(workbench, c=kept.id).captions() if "leaves for Mistral AI, France" in text]
    assert "per million tokens" in shown
    route = workbench.routes.add(PERSON, "Home first", LocalFirst("smollm2-135m", far))
    kept = workbench.conversations.create(PERSON, model_id=route.model_id)
    assert any("may leave for Mistral AI" in text for text in Sitting(workbench, c=kept.id).captions())


def test_costs_are_summed_and_an_unknown_one_is_not_nothing(workbench: Workbench, server: Misbehaving) -> None:
    page = Providers(workbench)
    assert "Nothing has been asked of a provider yet" in page.texts()
    page.add(server.url("well"))
    assert "nothing yet" in page.texts()


def test_a_budget_is_set_and_lifted(workbench: Workbench, server: Misbehaving) -> None:
    page = Providers(workbench).add(server.url("well"))
    other = Providers(workbench)
    box = page.at.number_input(key="budget-127.0.0.1-None")
    assert box.value is None
    box.set_value(2.5)
    page.run()
    assert workbench.connections.budget(PERSON, "127.0.0.1") == Budget(2.5, "USD")
    assert other.run().at.number_input(key="budget-127.0.0.1-2.5").value == 2.5
    page.at.number_input(key="budget-127.0.0.1-2.5").set_value(None)
    page.run()
    assert workbench.connections.budget(PERSON, "127.0.0.1") is None


def test_a_route_is_added_says_what_it_does_and_is_removed(workbench: Workbench, server: Misbehaving) -> None:
    page = Providers(workbench).add(server.url("well"))
    widget(page, "button_group", "route-kind").set_value(LocalFirst)
    page.run()
    assert "Asks SmolLM2-135M-Instruct; where the conversation is too long for it" in page.texts()
    page.press("route-add")
    (route,) = workbench.routes.list(PERSON)
    assert route.name == "Local first" and isinstance(route.rule, LocalFirst)
    assert "**Local first**" in page.texts()
    page.press(f"route-use-{route.id}")
    assert page.at.selectbox(key="model-new").value == route.model_id
    page = Providers(workbench).press(f"route-remove-{route.id}")
    assert workbench.routes.list(PERSON) == []


def test_a_route_over_several_models(workbench: Workbench, server: Misbehaving) -> None:
    url = server.url("lists-bare")
    page = Providers(workbench).add(url)
    widget(page, "button_group", "route-kind").set_value(Cheapest)
    page.run()
    box = widget(page, "multiselect", "route-")
    assert set(box.value) == {"smollm2-135m", f"{url}#first", f"{url}#second"}, "filled in to begin with"
    box.set_value([f"{url}#first"])
    assert page.run().at.button(key="route-add").disabled, "with one there is nothing to choose"
    widget(page, "multiselect", "route-").set_value([f"{url}#first", f"{url}#second"])
    page.run().press("route-add")
    (route,) = workbench.routes.list(PERSON)
    assert route.rule == Cheapest((f"{url}#first", f"{url}#second"))


def test_a_route_by_task(workbench: Workbench, server: Misbehaving) -> None:
    url = server.url("well")
    page = Providers(workbench).add(url)
    widget(page, "button_group", "route-kind").set_value(ByTask)
    page.run().press("route-add")
    (route,) = workbench.routes.list(PERSON)
    assert route.rule == ByTask((Row("code", f"{url}#tiny"), Row("general", "smollm2-135m")))
    assert "code: tiny; all other questions: SmolLM2-135M-Instruct." in page.texts()


def test_a_route_that_can_be_none_is_refused_and_what_was_picked_stays(
    workbench: Workbench, server: Misbehaving
) -> None:
    page = Providers(workbench).add(server.url("well"))
    widget(page, "button_group", "route-kind").set_value(LocalFirst)
    page.run()
    widget(page, "text_input", "route-name").set_value("  ")
    page.press("route-add")
    assert any("a name has from 1 to 80 characters" in error for error in page.errors())
    assert workbench.routes.list(PERSON) == [] and widget(page, "button_group", "route-kind").value == LocalFirst


def test_advice_changes_with_what_matters(workbench: Workbench, server: Misbehaving) -> None:
    workbench.connections.connect(PERSON, "https://api.example.org/v1", names=["large-70b"])
    workbench.connections.set_favourite(PERSON, "https://api.example.org/v1#large-70b", True)
    page = Providers(workbench)
    widget(page, "button_group", "advice-matters").set_value(["capability"])
    page.run()
    assert "**large-70b** comes first: it is large" in page.texts()
    widget(page, "button_group", "advice-matters").set_value(["confidentiality", "cost"])
    page.run()
    assert "**SmolLM2-135M-Instruct** comes first" in page.texts()
    assert "Not measured yet" in page.texts()


def test_our_own_api_can_be_copied(workbench: Workbench) -> None:
    page = Providers(workbench)
    programs = [code.value for code in page.at.code]
    assert any(text.endswith("/v1") for text in programs)
    assert any("smollm2-135m" in text and "curl" in text for text in programs)
    assert "no key is needed" in page.texts()
