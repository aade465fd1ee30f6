"""The addresses that the server answers, one module a resource; each is given what it needs by `create_app`."""
