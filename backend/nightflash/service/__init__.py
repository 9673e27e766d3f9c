"""The persistent backend: networks in one process, clients over ZeroMQ. See PROTOCOL.md.

`protocol`, `connection` and `client` need the standard library and pyzmq alone: they also run in
GIMP's Python.
"""
