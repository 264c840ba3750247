"""What holds for every page: who may open it, that it is readable for everybody, and that no text of a stranger breaks
it. `routes.py` lists all routes of the site; a route that is not listed fails a test."""
