"""What went wrong, in one sentence a user can act on."""

from __future__ import annotations


class NightFlashError(Exception):
    """A fault the user can mend: bad input, a missing file, an unknown setting.

    Args:
        sentence: What is wrong, one sentence in plain words, naming the file or value.
        remedy: What to do about it, one sentence, or empty where the sentence says it already.
        code: A short stable identifier for programs (``bad_photo``, ``bad_setting`` ...).
    """

    def __init__(self, sentence: str, remedy: str = "", *, code: str = "bad_input") -> None:
        super().__init__(f"{sentence} {remedy}".strip())
        self.sentence = sentence
        self.remedy = remedy
        self.code = code


class Cancelled(Exception):
    """Raised by a progress callback to stop the work; nothing has been written."""
