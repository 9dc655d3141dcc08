"""Filters without learning, for comparison and for machines that cannot run a network."""
