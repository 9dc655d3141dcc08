"""Programs that take the place of those that others wrote."""
