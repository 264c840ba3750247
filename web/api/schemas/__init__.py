"""What the API takes and gives: promises to strangers. Fields are added, never changed."""
