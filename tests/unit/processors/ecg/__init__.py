"""Tests of the signal engine."""
