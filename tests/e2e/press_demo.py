"""A slow page for the browser test of presses: a click begins a run that another click breaks off."""

import time

import streamlit as st

from pages.ui import press

state = st.session_state
state.setdefault("counted", 0)
state.setdefault("picked", [])
st.button("Again")
for part in range(20):
    st.caption(f"part {part}")
    time.sleep(0.05)
if press.button("Count", key="count"):
    state["counted"] += 1
picked = press.menu("Pick", ["one", "two"], key="pick", format_func=str.title)
if picked is not None:
    state["picked"].append(picked)
st.caption(f"counted {state['counted']} · picked {state['picked']}")
press.forget()
