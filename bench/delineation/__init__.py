"""Trains the tables that the engine scores wave boundaries by."""
