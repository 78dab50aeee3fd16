"""Tests of the choice of works."""
