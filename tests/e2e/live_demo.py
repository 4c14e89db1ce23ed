"""A small app for the browser tests of live answers: `streamlit run tests/e2e/live_demo.py`."""

from pathlib import Path

import streamlit as st

from pages.ui.live_answer import routes
from tests.e2e.live_demo_answers import ANSWERS

app = st.App(Path(__file__).parent / "live_demo_page.py", routes=routes(lambda: ANSWERS))
