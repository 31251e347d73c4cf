"""Lines in scripts that PP-OCRv6 lacks: told apart, read by Tesseract, or named as unread."""
