"""Evidence files: from which page, by which model, with which edits an export came, as a chain of hashes.

`verify` is one file of the standard library alone, so that an auditor can copy it to another machine.
"""
