"""Objects and lists as the bytes of an answer: pure in their arguments, with caches that change nothing but time."""

from rollplane_gateway.rendering.envelope import unwrapped, watch_frame, wrapped
from rollplane_gateway.rendering.forms import Form
from rollplane_gateway.rendering.messages import ListHead, render_message
from rollplane_gateway.rendering.renderer import Renderer

__all__ = ["Form", "ListHead", "Renderer", "render_message", "unwrapped", "watch_frame", "wrapped"]
