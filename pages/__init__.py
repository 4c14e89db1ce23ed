"""What a person sees: one folder a page, and ui/ for what pages share.

This is the only .py directly in this folder. Streamlit takes any other one for a page of its older multipage router,
even where `st.navigation` is used: opened by a deep link, such a page runs alone, without the frame.
tests/test_architecture.py keeps it so.
"""
