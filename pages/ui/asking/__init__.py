"""How a model is asked, as a form: `settings.show` for pages, `settings.check` for the moment before asking."""
