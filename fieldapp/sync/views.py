"""The service worker's other half: the pack of pages to read, the key that seals them, receipts."""

from flask import Blueprint

bp = Blueprint("sync", __name__)
