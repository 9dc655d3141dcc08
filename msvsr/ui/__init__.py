"""The local web page: choose a video, see what it will cost, run it, compare, download.

`files` says what may be read, `requests` what a job is, `jobs` queues them, `worker` runs them in a
process of its own, `estimates` says beforehand what they need, `texts` holds every word in two
languages, `page` lays it out and `server` serves it. Only `page`, `handlers` and `server` know
Gradio.
"""
