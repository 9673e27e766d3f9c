"""Pictures that clients have sent, by handle, in bounded memory."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable

from nightflash.client.protocol import Pixels, bad_request
from nightflash.engine.cache import Cache
from nightflash.errors import NightFlashError
from nightflash.server.listeners import Peer
from nightflash.server.upload import OVERHEAD, Upload


class Uploads:
    """Uploads by handle, bounded in bytes; those not used for long are forgotten.

    What was forgotten and is still worked with, or is on its way to a client, counts until it is
    memory no more.

    Args:
        limit: Bytes of all pictures together.
        seconds: Until a picture that is not used is forgotten.
    """

    def __init__(self, limit: int, seconds: float) -> None:
        self._kept: Cache[str, Upload] = Cache(limit, seconds)
        self._owners: dict[str, Peer] = {}
        self._charged = 0
        self._freed: deque[int] = deque()  # filled from any thread

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def limit(self) -> int:
        """Bytes that are kept at most."""
        return self._kept.limit

    @property
    def bytes(self) -> int:
        """Bytes of all pictures that are memory: those kept, and those still needed otherwise."""
        while self._freed:
            self._charged -= self._freed.popleft()
        return self._charged

    def put(self, pixels: Pixels, owner: Peer) -> str:
        """Keep a picture; gives its handle.

        Raises:
            NightFlashError: ``too_large``, or ``busy`` where work has all the room.
        """
        handle, upload = secrets.token_hex(16), Upload(pixels, self._freed)
        self.reserve(pixels.layout.bytes)
        self._charge(upload)
        self._kept.put(handle, upload, upload.charged)
        self._owners[handle] = owner
        return handle

    def reserve(self, size: int) -> None:
        """Make room for a picture of ``size`` bytes.

        Raises:
            NightFlashError: As `put`.
        """
        if size + OVERHEAD > self.limit:
            raise NightFlashError(
                f"The picture takes {size / 2**20:.0f} MB, and the backend keeps at"
                f" most {self.limit / 2**20:.0f} MB.",
                "Scale the picture down, or start the backend with a larger --upload-memory.",
                code="too_large",
            )
        if not self._make_room(size + OVERHEAD):
            raise NightFlashError(
                "The memory for pictures is taken by those that are worked with.",
                "Wait for the work, or start the backend with a larger --upload-memory.",
                code="busy",
            )

    def weigh(self, upload: Upload) -> None:
        """Charge what was worked out of a picture meanwhile; others make room for it."""
        if upload.bytes != upload.charged:
            self._charge(upload)
            self._make_room(0)

    def _charge(self, upload: Upload) -> None:
        now = upload.bytes  # once: the worker may be at it
        self._charged += now - upload.charged
        upload.charged = now

    def _make_room(self, size: int) -> bool:
        """Forget what was least recently used until ``size`` more bytes fit; whether they do."""
        while self.bytes + size > self.limit:
            if (oldest := self._kept.oldest()) is None:
                return False
            self.drop(oldest)
        return True

    def get(self, handle: object) -> Upload:
        """The picture of ``handle``.

        Raises:
            NightFlashError: ``unknown_handle`` where it never was or is forgotten.
        """
        upload = self._kept.get(handle) if isinstance(handle, str) else None
        if upload is None:
            raise NightFlashError(
                "The backend does not hold that picture any more.",
                "Send it again.",
                code="unknown_handle",
            )
        return upload

    def whole(self, handle: object) -> Upload:
        """The picture of ``handle``, all of which has come.

        Raises:
            NightFlashError: As `get`, or ``bad_request``.
        """
        upload = self.get(handle)
        if not upload.whole:
            raise bad_request("Not all of that picture has come.")
        return upload

    def of(self, owner: Peer) -> list[tuple[str, Upload]]:
        """An owner's pictures and their handles, the oldest first."""
        mine = [handle for handle, whose in self._owners.items() if whose == owner]
        found = ((handle, self._kept.peek(handle)) for handle in mine)
        return [(handle, upload) for handle, upload in found if upload is not None]

    def drop(self, handle: str) -> None:
        """Forget the picture of ``handle`` if it is there."""
        self._kept.drop(handle)
        self._owners.pop(handle, None)

    def drop_all_of(self, gone: Callable[[Peer], bool]) -> None:
        """Forget the pictures of every owner for whom ``gone`` is true."""
        for handle in [handle for handle, owner in self._owners.items() if gone(owner)]:
            self.drop(handle)

    def make_room_of(self, owner: Peer, size: int, limit: int) -> None:
        """Forget an owner's oldest pictures until ``size`` bytes more are under ``limit``.

        Raises:
            NightFlashError: ``too_large`` where ``size`` is over it.
        """
        if size + OVERHEAD > limit:
            raise NightFlashError(
                f"The picture takes {size / 2**20:.0f} MB, and the server lets each client have at"
                f" most {limit / 2**20:.0f} MB.",
                "Scale the picture down, or have its owner raise --remote-memory.",
                code="too_large",
            )
        charged = {handle: upload.charged for handle, upload in self.of(owner)}
        taken = sum(charged.values())
        for handle, bytes_of_it in charged.items():
            if taken + size + OVERHEAD <= limit:
                return
            self.drop(handle)
            taken -= bytes_of_it

    def owners(self) -> set[Peer]:
        """Who has pictures here."""
        self._kept.expire()
        self._owners = {h: owner for h, owner in self._owners.items() if h in self._kept}
        return set(self._owners.values())

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._owners.clear()
