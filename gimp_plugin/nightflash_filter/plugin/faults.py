"""The backend's faults in the user's language: they come as whole English sentences.

A test holds the table against the sentences in the backend's source.
"""

from __future__ import annotations

import re

from plugin.texts import translated as _

FAULTS = (
    # The photo and the aim.
    "Give one of a mask, a box or a point, not several.",
    "The mask is {} x {} pixels and the photo {} x {}.",
    "Draw the mask on the photo, at its size.",
    "The mask holds values that are not numbers.",
    "The mask is empty.",
    "Paint the main object white, or give none.",
    "The box {} has no area.",
    "The {} {} lies outside the photo, which is {} x {} pixels.",
    "The corrections leave nothing of the main object.",
    "Take the last one back, or aim at another object.",
    "The region {},{},{},{} does not lie in the photo, which is {} x {} pixels.",
    "The network for depth gives values that are no numbers.",
    "Fetch its file again, or choose another with --networks.",
    # Memory.
    "There is not enough memory for this photo.",
    "The picture takes {} MB, and the backend keeps at most {} MB.",
    "Scale the picture down, or start the backend with a larger --upload-memory.",
    "The memory for pictures is taken by those that are worked with.",
    "Wait for the work, or start the backend with a larger --upload-memory.",
    "The backend has {} requests of this client waiting.",
    "Wait for some of them.",
    "This client asks for pictures faster than it takes them.",
    "Wait for those on their way.",
    # The backend.
    "The backend is ending.",
    "The next request starts a new one.",
    "The backend failed at this request.",
    "The backend failed at this request ({}).",
    "The backend does not answer.",
    "Try again: another one takes its place.",
    "The backend has ended.",
    "The backend ended unexpectedly.",
    "Try again: it is started anew.",
    "The way to the backend broke.",
    "The way to the backend cannot be opened: {}.",
    "Run the installer again.",
    "The backend cannot be started: {}.",
    "The backend ended with exit code {}.",
    "The backend was not ready after {} s.",
    "The backend ended with exit code {}. Its last words: {}",
    "The backend was not ready after {} s. Its last words: {}",
    "The backend's log {} cannot be written: {}.",
    "The backend cannot serve from {} with its log in {}: {}.",
    "Make room, or let {} name a folder that you can write to.",
    "Make room, or let {} and {} name other folders.",
    "The backend does not accept this client's key.",
    "The backend has no port open, and this program can reach it by none other.",
    "The backend does not hold that picture any more.",
    "Send it again.",
    "This {} speaks version {} of the protocol, and the other side version {}.",
    "Update NightFlash and its plug-in to the same version.",
    # Files.
    "The folder {} cannot be made: {}.",
    "Let {} name a folder that you can write to.",
    "{} cannot be read: {}.",
    "Let {} name another folder.",
    "Let it be readable, or name another folder with --weights.",
    "{} is no file.",
    "Remove it, or let {} name another folder.",
    "{} is a link.",
    "{} belongs to another user.",
    "{} is open to other users.",
    # Networks.
    "There is no device {}.",
    "The device {} is not usable on this machine.",
    "The {} needs the file {}, which is not in {}.",
    "{}, a part of NightFlash, is missing.",
    "{}, a part of NightFlash, is {}.",
    "Install NightFlash again.",
    "{} is damaged ({}).",
    "{} does not hold the weights of {}{}.",
    # Presets.
    "The file {} of your own presets cannot be read.",
    "Mend it, or move it away.",
    "Your own presets cannot be written to {}: {}.",
    "A preset's name has 1 to {} letters.",
    "{} is a preset that NightFlash brings.",
    "Take another name.",
)
"""Sentences and remedies, with braces where something is filled in."""


def in_own_language(sentence: str) -> str:
    """A fault's sentence or remedy in the user's language, as it is where nobody has translated it.

    Args:
        sentence: English, as the backend sends it.
    """
    if (known := _(sentence)) != sentence:
        return known
    for template in FAULTS:
        if "{}" in template and (filled := _pattern(template).fullmatch(sentence)):
            return _(template).format(*filled.groups())
    return sentence


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("(.*?)".join(re.escape(part) for part in template.split("{}")), re.DOTALL)
