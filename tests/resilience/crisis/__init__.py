"""Tests of `resilience.crisis`."""
