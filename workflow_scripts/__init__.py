"""The steps of the transferability workflow, a module with a command line each, and their library modules."""
