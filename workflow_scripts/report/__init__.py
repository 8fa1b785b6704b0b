"""Figures, interactive charts and the report page."""
