"""MiDaS: five networks for relative inverse depth, with their authors' files of weights."""

from nightflash.models.midas.descriptors import DESCRIPTORS

__all__ = ["DESCRIPTORS"]
