"""The plug-in in every GIMP 3 of this user: what `nightflash gimp` and install/gimp.sh do.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from nightflash.errors import NightFlashError
from nightflash.gimp import plug_in
from nightflash.gimp.plug_in import Source
from nightflash.gimp.profiles import Profile
from nightflash.gimp.programs import Program, find_profiles, find_programs

MENU = "Filters > Light and Shadow > Night with Flash…"


@dataclass(frozen=True)
class Gimps:
    """The GIMPs of this user.

    Attributes:
        programs: Those that can be asked.
        profiles: Those that there are, and those that ``programs`` will have.
        report: Takes sentences on what is done.
        lock: Gives what is held while a profile is changed.
    """

    programs: Sequence[Program]
    profiles: Sequence[Profile]
    report: Callable[[str], None]
    lock: Callable[[], AbstractContextManager[object]]

    @classmethod
    def found(
        cls, report: Callable[[str], None], lock: Callable[[], AbstractContextManager[object]]
    ) -> Gimps:
        """Those of this user."""
        programs = find_programs()
        return cls(programs, find_profiles(programs), report, lock)

    def require(self) -> None:
        """Raise where there is none.

        Raises:
            NightFlashError: ``no_gimp``.
        """
        if not self.profiles:
            raise NightFlashError(
                "No GIMP 3 was found for this user: install GIMP 3.0 or newer, start it once, then "
                "start this again.",
                code="no_gimp",
            )

    def install(self, python: Path, source: Source, requirement: str) -> bool:
        """Put the plug-in into every profile; see `plug_in.put`. Whether all of it succeeded."""

        def put(profile: Profile) -> str:
            zmq = plug_in.put(profile, python, source, requirement, self.report)
            listed = plug_in.check(profile, self.programs)
            return f"the plug-in is in {profile.plug_in}; {zmq.text}; {listed}"

        for profile in self.profiles:
            if not profile.folder.exists():  # made by hand it would keep settings from moving in
                version = profile.version
                self.report(f"Starting GIMP {version} for the first time, so that it has a profile")
                next(p for p in self.programs if p.has(profile)).run()
        return self._each(self.profiles, put)

    def uninstall(self) -> bool:
        """Remove the plug-in from every profile; whether all of it succeeded."""
        there = [profile for profile in self.profiles if profile.folder.exists()]
        if not there:
            self.report("No GIMP 3 was found for this user, so there is nothing to remove")
        return self._each(there, plug_in.remove)

    def check(self) -> bool:
        """Look whether every profile has the plug-in and its GIMP lists it; whether all do."""

        def look(profile: Profile) -> str:
            if not plug_in.is_ours(profile.plug_in):
                raise NightFlashError("the plug-in is not there; 'nightflash gimp install' puts it")
            return f"the plug-in is in {profile.plug_in}; {plug_in.check(profile, self.programs)}"

        return self._each(self.profiles, look)

    def _each(self, profiles: Sequence[Profile], work: Callable[[Profile], str]) -> bool:
        """Do ``work`` for every profile, whatever happens to the others."""
        well = True
        for profile in profiles:
            about = f"GIMP {profile.version} ({profile.kind}): "
            try:
                with self.lock():
                    self.report(about + work(profile))
            except NightFlashError as fault:
                self.report(about + str(fault))
                well = False
            except OSError as fault:
                place = profile.plug_ins
                self.report(f"{about}{place} could not be changed: {fault}. Is it yours to write?")
                well = False
        return well
