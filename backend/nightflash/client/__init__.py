"""The client of the backend: it finds or starts one and talks to it over ZeroMQ. See PROTOCOL.md.

These modules need the standard library and pyzmq alone: they also run in GIMP's Python.
"""
