"""The plug-in in GIMP: where it goes, how it gets there, and whether GIMP has it.

Standard library only: the installer runs it before there is anything else.
"""
