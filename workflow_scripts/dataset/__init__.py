"""Reading what users have: ILSVRC archives and trees, folder trees, tars, the hierarchy of classes; the survey."""
