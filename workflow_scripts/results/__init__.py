"""The results table, effects and their intervals, findings in words, tables."""
