"""Invoices: built from an order once, as data that never changes, and rendered to a PDF that is always the same."""
