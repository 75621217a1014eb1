"""What services and the console share to stay secure: rate limits, and the checks of secrets."""
