"""Tests of the store, and what they share."""
