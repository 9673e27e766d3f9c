"""GTK and its kin are of any type here; what the plug-in uses of Gimp and Gegl has types."""

from typing import Any

def __getattr__(name: str) -> Any: ...
