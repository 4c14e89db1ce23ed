"""Everything of the workbench that is no screen. Imports no streamlit, and nothing heavy at start-up."""
