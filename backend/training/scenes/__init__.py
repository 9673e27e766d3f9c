"""Rendered scenes whose day and night are both known; shares no code with the product."""

from training.scenes.render import (
    HELD_OUT_SEEDS,
    TUNING_SEEDS,
    RenderedScene,
    relative_inverse_depth,
    render_scene,
)

__all__ = [
    "HELD_OUT_SEEDS",
    "TUNING_SEEDS",
    "RenderedScene",
    "relative_inverse_depth",
    "render_scene",
]
