"""What the backend and its client say, in the user's language: it comes as whole English sentences.

A test holds the table against the sentences in the backend's source.
"""

from __future__ import annotations

import functools
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
    # Other computers.
    "Connecting to {}",
    "Connecting again.",
    "Sending the picture: {} of {} MB",
    "Receiving the picture: {} of {} MB",
    "{} does not answer at {}.",
    "{} does not answer any more.",
    "{} is cut off.",
    "See that it and the line to it are up, and try again.",
    "See that 'nightflash serve --listen' runs there and no firewall is between.",
    "{} does not let this machine in: its key was turned out there.",
    "Run 'nightflash remote invite' on {}; then here 'nightflash remote remove {}' and"
    " 'nightflash remote add CODE'.",
    "Who answers at {} is not {}: it has another key than {} had.",
    "Its server was set up anew, or somebody else poses as it; if it was set up anew, run"
    " 'nightflash remote remove {}' and add it again.",
    "There is no remote {}.",
    "There is a remote {} already.",
    "Choose another --name, or run: nightflash remote remove {}",
    "{} is no name: letters, digits, '-' and '_' make one, 40 at most.",
    "{} is no address.",
    "This is no invitation.",
    "Copy the whole code that 'nightflash remote invite' printed on the server.",
    "Nobody answers at {}.",
    "{} does not let this invitation in: it was used already, is too old, or is another server's.",
    "Run 'nightflash remote invite' on the server for another one.",
    "The server let this key in no more.",
    "The server takes {} connections of one client.",
    "Close another program that uses it.",
    "The server takes {} clients at once.",
    "The server has {} clients already.",
    "The server lets each client have {} requests at work.",
    "Try again later.",
    "The picture takes {} MB, and the server lets each client have at most {} MB.",
    "Scale the picture down, or have its owner raise --remote-memory.",
    # Files.
    "{} cannot be written: {}.",
    "{} cannot be read or is spoilt.",
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
    # Notes about the work.
    "This PyTorch is built without GPU support: set NIGHTFLASH_TORCH_INDEX to an index of"
    " CUDA or ROCm builds and run the installer again.",
    "PyTorch finds no usable GPU: if there is one, update its driver.",
    "Memory was short, so depth and light were worked out at {} MP.",
    "The memory of {} was short, so the processor did the work.",
    "No clear object was found: the nearest salient region is lit. Aim the flash yourself.",
    "Networks that suit this device are missing in {}: rules of thumb stand in,"
    " and the result is better with them. `nightflash models download` or, in GIMP, the"
    " filter's button Backend… fetches them.",
    "The published method works with depth by MiDaS, and no network of MiDaS that"
    " suits this device is in {}, so another took its place:"
    " 'nightflash models download {}' fetches one.",
    # Presets.
    "The file {} of your own presets cannot be read.",
    "Mend it, or move it away.",
    "Your own presets cannot be written to {}: {}.",
    "A preset's name has 1 to {} letters.",
    "{} is a preset that NightFlash brings.",
    "Take another name.",
)
"""Sentences, remedies and notes, with braces where something is filled in."""


def in_own_language(text: str) -> str:
    """What the backend or its client says in the user's language, as far as it is translated.

    Args:
        text: English: a sentence or remedy, or a sentence and what else is said.
    """
    sentence, rest = parted(text)
    if rest:
        return f"{in_own_language(sentence)} {in_own_language(rest)}"
    if not sentence:  # for which a catalogue gives what it says of itself
        return ""
    if (known := _(sentence)) != sentence:
        return known
    template = _template(sentence)
    return _(template).format(*_filled(template, sentence) or ()) if template else sentence


def parted(text: str) -> tuple[str, str]:
    """A known sentence and a known one behind it, such as a remedy; else all, and nothing."""
    for gap in re.finditer(r"(?<=[.]) ", text):
        sentence, rest = text[: gap.start()], text[gap.end() :]
        if _template(sentence) and _template(rest):
            return sentence, rest
    return text, ""


def _template(sentence: str) -> str:
    """The one of `FAULTS` that a sentence is, empty where it is none."""
    return next((t for t in FAULTS if _filled(t, sentence) is not None), "")


def _filled(template: str, sentence: str) -> tuple[str, ...] | None:
    """What is filled into a template; None where that is not this sentence."""
    found = _pattern(template).fullmatch(sentence)
    return None if found is None else found.groups()


@functools.cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("(.*?)".join(re.escape(part) for part in template.split("{}")), re.DOTALL)
