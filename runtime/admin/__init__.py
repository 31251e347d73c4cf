"""The station's own administration, behind a PIN: what runs, how well, and what may be changed.

`door` lets people in, `history` remembers figures so that a page has something to draw when it opens,
`bundle` packs what whoever mends the station wants to know. No document text is in any of it.
"""
