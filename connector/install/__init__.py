"""The web side of connecting a shop: an invitation's page, what platforms post to it, and how far it has come.

Merchants' pages are in English for now.
"""
