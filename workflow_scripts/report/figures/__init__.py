"""One step a figure; each module has the name of its figure."""
