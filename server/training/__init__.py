"""Training on the server: a run is a directory, trained by a process of its own, one at a time.

A `Run` in `run.json` says what is trained and how it stands; the worker owns every other file of the directory (see
`ntm_core.training.session`) and tells the server its progress, one line of JSON at a time. The `Foreman` alone writes
`run.json`, and starts and ends workers. Whichever of the two dies, the directory holds all that is needed to go on.
"""
