"""What a station keeps when the clerk has asked it to: in an encrypted vault on a stick, and nowhere else."""
