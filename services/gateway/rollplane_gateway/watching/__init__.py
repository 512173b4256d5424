"""Watches: one reading of the log for all who ask the same, one rendering for all who want the same form."""

from rollplane_gateway.watching.question import Question, question_of
from rollplane_gateway.watching.shapes import Shape, Shapes
from rollplane_gateway.watching.stream import opened
from rollplane_gateway.watching.watches import Watches

__all__ = ["Question", "Shape", "Shapes", "Watches", "opened", "question_of"]
