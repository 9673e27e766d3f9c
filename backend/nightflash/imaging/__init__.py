"""Arithmetic of pictures that knows neither photos nor nights: colour, resampling, filters."""
