"""Recipes that make the networks shipped with NightFlash: ``python -m training``."""
