"""Downloads of network files. Nothing else in NightFlash downloads anything."""

from nightflash.models.download.fetching import MIRROR_VARIABLE, download, fetch, whole

__all__ = ["MIRROR_VARIABLE", "download", "fetch", "whole"]
