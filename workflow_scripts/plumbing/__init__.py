"""Command lines, errors, files that appear whole, records and checksums, code fingerprints. Decides no number."""
