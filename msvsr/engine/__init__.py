"""Time and memory: which frames a model sees at once, and what is kept while it does."""
