"""Refine: the style transfer that keeps the photo's content under the night's light."""
