"""The program as a web server and the `flask` command find it."""

import gc

from fieldapp.app import create_app

app = create_app()

# What the program is made of stays for good: looking through it again takes 0.1 s, in the middle of somebody's tap.
gc.collect()
gc.freeze()
