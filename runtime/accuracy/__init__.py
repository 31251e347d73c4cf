"""How well this station reads, kept in view: its own golden pages, and what people corrected."""
