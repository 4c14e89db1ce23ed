"""The sampling panel alone: what it is given comes back, each widget changes its field, presets, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import sampling_text
from core.chat import Asking
from core.errors import SchemaUnreadable, SettingInvalid
from core.messages import Sampling
from core.models.recommended import PRESETS, Recommended
from core.sampling_table import PARAMETERS
from pages.ui.asking import sampling_panel

SCRIPT = """
import streamlit as st
from pages.ui.asking import sampling_panel
from core.errors import WorkbenchError

st.session_state.asked = sampling_panel.show("k", st.session_state.begun, **st.session_state.options)
try:
    sampling_panel.check("k")
    st.session_state.wrong = None
except WorkbenchError as error:
    st.session_state.wrong = error
"""

SCHEMA = {"type": "object", "properties": {"é": {"enum": [1, 2.5, None]}}}
UNUSUAL = Asking(
    model_id="m.gguf",
    system_prompt="Be brief.",
    sampling=Sampling(
        temperature=7.123456789,
        top_k=0,
        top_p=0.123456789,
        min_p=0.0,
        typical_p=0.5,
        repeat_penalty=1.17,
        repeat_last_n=-1,
        presence_penalty=-33.3,
        frequency_penalty=0.1 + 0.2,
        dry_multiplier=0.8,
        dry_base=2.345678901,
        dry_allowed_length=0,
        dry_penalty_last_n=5000,
        dry_sequence_breakers=("", "\n", " x\\"),
        xtc_probability=1.0,
        xtc_threshold=0.7,
        mirostat=2,
        mirostat_tau=100.0,
        mirostat_eta=0.0,
        seed=2**32 - 1,
        logit_bias={1: float("-inf"), 5: 0.1},
    ),
    max_tokens=1_000_000,
    stop=("\n\n", "User:"),
    json_schema=SCHEMA,
    overflow="stop",
)


class Panel:
    """The panel on a page of its own."""

    def __init__(self, begun: Asking | None = None, **options: Any) -> None:
        self.at = AppTest.from_string(SCRIPT, default_timeout=30)
        self.at.session_state["begun"] = begun or Asking()
        self.at.session_state["options"] = options
        self.run()

    def run(self) -> Panel:
        self.at.run()
        assert not self.at.exception
        return self

    def set(self, name: str, value: Any) -> Panel:
        self.at.get_by_key(f"{name}-k").set_value(value)
        return self.run()

    @property
    def asked(self) -> Asking:
        asked: Asking = self.at.session_state["asked"]
        return asked

    @property
    def wrong(self) -> Any:
        return self.at.session_state["wrong"]

    def captions(self) -> list[str]:
        return [caption.value for caption in self.at.caption]

    def preset(self) -> Any:
        return self.at.get_by_key("preset-k").value


@pytest.mark.parametrize("begun", [Asking(), UNUSUAL, Asking(grammar="root ::= [a-z]+\n")])
def test_what_it_is_given_comes_back(begun: Asking) -> None:
    panel = Panel(begun)
    assert panel.asked == begun
    assert panel.run().asked == begun


def test_numbers_that_no_model_takes_become_the_defaults() -> None:
    hostile = Sampling(temperature=float("nan"), top_k=-7, top_p=3.0, seed=-1, mirostat_tau=float("inf"))
    assert Panel(Asking(sampling=hostile, max_tokens=0)).asked == Asking()


@pytest.mark.parametrize(
    ("name", "state", "value"),
    [
        *(
            ("temperature", 0.3, 0.3),
            ("top_k", 5, 5),
            ("top_p", 0.5, 0.5),
            ("min_p", 0.2, 0.2),
            ("typical_p", 0.9, 0.9),
        ),
        *(("repeat_penalty", 1.2, 1.2), ("presence_penalty", -0.5, -0.5), ("frequency_penalty", 0.5, 0.5)),
        *(
            ("repeat_last_n", -1, -1),
            ("dry_multiplier", 0.8, 0.8),
            ("dry_base", 2.0, 2.0),
            ("dry_allowed_length", 3, 3),
        ),
        *(("dry_penalty_last_n", 64, 64), ("dry_sequence_breakers", "\\n\n.", ("\n", ".")), ("mirostat", True, 2)),
        *(("xtc_probability", 0.5, 0.5), ("xtc_threshold", 0.2, 0.2), ("mirostat_tau", 4.0, 4.0)),
        *(("mirostat_eta", 0.2, 0.2), ("seed", 7, 7), ("logit_bias", "12 = -100\n7 = 2,5", {12: -100.0, 7: 2.5})),
    ],
)
def test_each_widget_changes_its_field_and_no_other(name: str, state: Any, value: Any) -> None:
    panel = Panel().set(name.replace("_", "-"), state)
    assert panel.asked == Asking(sampling=Sampling(**{name: value}))
    assert panel.wrong is None


def test_every_field_has_a_widget() -> None:
    panel = Panel()
    for name in PARAMETERS:
        assert panel.at.get_by_key(f"{name.replace('_', '-')}-k").label


@pytest.mark.parametrize(
    ("name", "state", "field", "value"),
    [
        ("max-tokens", 12, "max_tokens", 12),
        ("stop", "\\n\\n\nUser:", "stop", ("\n\n", "User:")),
        ("overflow", "stop", "overflow", "stop"),
        ("form", "grammar", "grammar", sampling_text.GRAMMAR_EXAMPLE),
    ],
)
def test_length_end_and_form(name: str, state: Any, field: str, value: Any) -> None:
    assert Panel().set(name, state).asked == Asking(**{field: value})


def test_an_emptied_number_is_the_default_again() -> None:
    assert Panel(Asking(max_tokens=5)).set("top-k", None).set("max-tokens", None).asked == Asking()


def test_a_caption_says_what_a_value_does_beside_the_others() -> None:
    panel = Panel()
    assert "The least likely 5% are cut." in panel.captions()
    assert "0.8: probable tokens are favoured, more than the model would." in panel.captions()
    panel.set("temperature", 0.0)
    assert "0: always the most probable token, so always the same answer." in panel.captions()
    assert "The least likely 5% are cut." not in panel.captions()
    assert "No effect: at temperature 0 the most probable token is always taken." in panel.captions()


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_sets_the_widgets_and_leaves_seed_and_biases(preset: Any) -> None:
    kept = Asking(sampling=Sampling(temperature=0.33, min_p=0.5, seed=4, logit_bias={1: 1.0}), max_tokens=9)
    panel = Panel(kept)
    # A browser lets go of the one that is clicked again.
    panel.set("preset", None if panel.preset() == preset.name else preset.name)
    sampling = panel.asked.sampling
    assert (sampling.seed, sampling.logit_bias, panel.asked.max_tokens) == (4, {1: 1.0}, 9)
    assert preset.differences(sampling) == [] and panel.preset() == preset.name
    assert panel.at.slider(key="temperature-k").value == preset.sampling.temperature


def test_a_preset_says_what_was_changed_and_a_click_brings_it_back() -> None:
    panel = Panel().set("temperature", 0.5).set("top-k", 7)
    assert panel.preset() == "Balanced"
    assert "Balanced · changed" in panel.at.get_by_key("preset-k").options
    assert "Changed: Temperature, Top-k." in panel.captions()
    assert panel.set("preset", None).asked == Asking()
    assert panel.preset() == "Balanced"


def test_the_models_own_values_are_offered_with_where_they_stand() -> None:
    own = Recommended({"temperature": 0.6, "top_k": 20}, {"temperature": "gguf", "top_k": "generation_config"})
    panel = Panel(recommended=own)
    assert panel.preset() == "Balanced"
    panel.set("preset", "Model's own")
    assert panel.asked.sampling == own.sampling
    assert any("GGUF file: Temperature 0.6. On its Hub card: Top-k 20." in caption for caption in panel.captions())


def test_what_an_endpoint_does_not_take_is_greyed_and_said() -> None:
    refused = frozenset({"top_k", "min_p", "stop", "logit_bias", "grammar", "max_tokens"})
    panel = Panel(provider="a_b", unsupported=refused)
    greyed = {name for name in PARAMETERS if panel.at.get_by_key(f"{name.replace('_', '-')}-k").disabled}
    assert greyed == {"top_k", "min_p", "logit_bias"}
    assert panel.at.get_by_key("stop-k").disabled and panel.at.get_by_key("overflow-k").disabled
    assert not panel.at.number_input(key="max-tokens-k").disabled, "it is only called otherwise"
    assert panel.captions().count("a\\_b does not take this.") == 4
    assert "a\\_b does not take these: GBNF grammar." in panel.captions()
    assert panel.at.get_by_key("form-k").options == ["Any", "JSON schema"]
    assert panel.asked == Asking()


def test_a_grammar_that_an_endpoint_does_not_take_can_be_left_out() -> None:
    panel = Panel(
        Asking(grammar="root ::= [a-z]+"), provider="X", unsupported=frozenset({"grammar", "response_format"})
    )
    assert panel.asked.grammar == "root ::= [a-z]+" and "X does not take this." in panel.captions()
    panel.set("form", "none")
    assert panel.asked == Asking() and panel.at.get_by_key("form-k").disabled


def test_a_line_that_is_no_bias_is_said_and_not_forgotten() -> None:
    panel = Panel(Asking(sampling=Sampling(logit_bias={3: 1.0}))).set("logit-bias", "3 = 1\ncat = 2")
    assert panel.asked.sampling.logit_bias == {3: 1.0}
    assert isinstance(panel.wrong, SettingInvalid)
    (error,) = panel.at.error
    assert "cat" in error.value
    panel.set("logit-bias", "3 = 2")
    assert panel.asked.sampling.logit_bias == {3: 2.0} and panel.wrong is None and not panel.at.error


def test_a_schema_that_is_no_json_is_said_and_not_forgotten() -> None:
    panel = Panel().set("form", "json_schema")
    example = panel.asked.json_schema
    assert example is not None and panel.at.get_by_key("json-schema-k").value == sampling_text.SCHEMA_EXAMPLE
    panel.set("json-schema", '{"type": }')
    assert isinstance(panel.wrong, SchemaUnreadable) and panel.asked.json_schema is None
    assert len(panel.at.error) == 1
    panel.set("json-schema", '{"type": "array"}')
    assert panel.asked.json_schema == {"type": "array"} and panel.wrong is None


def test_what_was_typed_stays_while_another_form_is_looked_at() -> None:
    panel = Panel().set("form", "json_schema").set("json-schema", '{"type": "array"}')
    assert panel.set("form", "grammar").asked.json_schema is None
    assert panel.set("form", "none").asked == Asking()
    assert panel.set("form", "json_schema").asked.json_schema == {"type": "array"}


def test_nothing_is_wrong_where_nothing_was_drawn() -> None:
    assert Panel().run().wrong is None
    assert sampling_panel.check.__doc__
