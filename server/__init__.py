"""The HTTP server of NTM Scope: it carries requests to `ntm_core` and its answers back, and does nothing else.

`create_app(settings)` in `app.py` wires everything once. A request runs through `security` and `bodies` (who asks,
and how much is sent), a route, a store, and for a trace through `recorder`, which records in a thread of its own
while `wire` puts the steps into frames (WIRE.md).
"""
