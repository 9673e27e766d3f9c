"""Depth Anything V2 Small: relative inverse depth, with its authors' files of weights."""
