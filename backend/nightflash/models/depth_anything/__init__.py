"""Depth Anything V2 Small: relative and metric depth, with its authors' files of weights."""

from nightflash.models.depth_anything.descriptors import DESCRIPTORS

__all__ = ["DESCRIPTORS"]
