"""Tests of the dashboard page: a fake backend and a real browser."""
