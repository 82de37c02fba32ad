"""Carries out what the core asks for, and waits.

It alone opens files and sockets, starts programs and threads. Nothing is decided here, and nothing is logged:
steps and replies hold secrets.
"""
