"""The station watches itself: it has no pager, so whoever stands before it must see what is wrong."""
