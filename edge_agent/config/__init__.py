"""The configuration: one file, checked completely before anything opens."""
