"""What a configuration means: jobs, leaves, schedules, seeds, names. Light: the Snakefile imports it."""
