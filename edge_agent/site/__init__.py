"""A gateway's configuration as a template for others: made, asked, filled in, compared."""
