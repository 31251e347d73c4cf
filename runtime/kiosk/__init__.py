"""The station's page: what the person in front of it sees and does.

`session` holds the truth (sticks, pages being read, corrections, saving), so that a page that is
reloaded shows what it showed before; `app` puts it on HTTP; the browser only draws it.
"""
