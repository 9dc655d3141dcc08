"""The local web page: choose a video, see what it will cost, run it, compare, download.

`files` says what may be read, `requests` what a job is, `jobs` queues them, `worker` runs them in a
process of its own, `running` names their results, `estimates` says beforehand what they need,
`pictures` shows the same moment of two videos, `texts` holds every word in two languages, `desk`
joins all that, and `views` puts it into HTML. Only `page` with `parts`, `form` and `words`,
its `handlers` and the `server` know Gradio.
"""
