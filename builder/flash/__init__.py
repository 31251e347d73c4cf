"""`flash`: write an ISO onto sticks, and believe none of them before everything was read back."""
