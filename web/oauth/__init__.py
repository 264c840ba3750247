"""The site as an OAuth 2.0 authorization server, for programs of others (docs/decisions/0041)."""
