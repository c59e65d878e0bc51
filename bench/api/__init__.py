"""Both HTTP applications over a month of 5,000 users' data, beside plain handlers for the same queries."""
