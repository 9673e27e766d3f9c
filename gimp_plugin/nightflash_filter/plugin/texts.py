"""Texts in the user's language, where a catalogue for it lies in the folder ``locale``."""

from __future__ import annotations

import gettext
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent.parent / "locale"

translated = gettext.translation("nightflash", _FOLDER, fallback=True).gettext
