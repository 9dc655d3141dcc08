"""Everything that knows ModelScope: names, registrations, thin classes around the library.

`names` has the table of what is registered, `activation` writes it into ModelScope, `hub` finds and
downloads models; each task has a package of its own with the registered classes.
"""
