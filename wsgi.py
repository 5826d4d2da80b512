"""The program as a web server and the `flask` command find it."""

from fieldapp.app import create_app

app = create_app()
