"""The steps of the transferability workflow: one module per step with a small CLI, library modules beside."""
