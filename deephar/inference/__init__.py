"""Poses from pictures."""
