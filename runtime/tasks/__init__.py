"""What can be asked of a page: the model's official prompts as data, and the parser of each answer."""
