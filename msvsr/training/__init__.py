"""Objectives, schedules and the training loop, in plain torch."""
