"""Understands requests in plain words: rules as data, typed slots, ranked candidates."""
