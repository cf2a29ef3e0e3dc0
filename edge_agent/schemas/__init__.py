"""What a platform receives, as documents: an AsyncAPI 3 file and a JSON Schema per payload."""
