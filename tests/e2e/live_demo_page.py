"""The demo app's page: one question at a time, and widgets to use meanwhile."""

import streamlit as st

from pages.ui import live_answer, markdown
from tests.e2e.live_demo_answers import ANSWERS, start

asked = st.query_params
st.session_state.runs = st.session_state.get("runs", 0) + 1

st.slider("Slider", 0, 10, key="slider")
st.text_input("Text")
st.caption(f"slider {st.session_state.slider} · runs {st.session_state.runs}")
if st.button("Ask"):
    answer = start(
        asked.get("scenario", "words"), outside=asked.get("outside", ""), every=float(asked.get("every", "0.025"))
    )
    st.query_params["answer"] = answer.id

current = ANSWERS.get(st.query_params.get("answer", ""))
if current is not None and live_answer.show("demo", current):
    with st.container(key="final"):
        markdown.show(current.text)
    st.caption(f"ended: {current.finished.reason if current.finished else current.error}")
