"""The backend and its client, as for the tests of the server."""

from tests.server.conftest import client, day, place

__all__ = ["client", "day", "place"]
