"""The healthy programs, in groups."""
