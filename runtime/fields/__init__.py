"""Fields of cards, slips and invoices: found by layout, each with its source and what checks say of it."""
