"""Profile -> lock -> store -> layers -> boot files -> ISO; plus verify, boot, serve and test."""
