"""The persistent backend: networks and photos in one process, clients over ZeroMQ.

`nightflash.client` holds what both sides share: the protocol (PROTOCOL.md) and where to connect.
"""
