"""Signing in with, or linking, an account at another site (OAuth 2 with PKCE, authorization code)."""
