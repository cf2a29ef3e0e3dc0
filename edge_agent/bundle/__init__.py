"""What is packed for those who help from afar: everything that explains, and no secret."""
