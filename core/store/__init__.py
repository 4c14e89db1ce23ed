"""What is kept: one SQLite file, reached through `Database`. Knows no model and no page."""
