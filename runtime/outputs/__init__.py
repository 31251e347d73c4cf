"""Read pages as files: text, Markdown, HTML, DOCX, XLSX, CSV, hOCR, ALTO, searchable PDF."""
