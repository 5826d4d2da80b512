"""Draws the PNG icons of `static/icons` anew after a change of the SVGs there: `python -m tests.setup.icons`."""

import io
import os
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.setup.browser import find_chromium

ICONS = Path(__file__).parents[2] / "fieldapp" / "static" / "icons"
DRAWN = {
    "icon-192.png": ("icon.svg", 192),
    "icon-512.png": ("icon.svg", 512),
    "maskable-192.png": ("maskable.svg", 192),
    "maskable-512.png": ("maskable.svg", 512),
    "apple-touch-icon.png": ("maskable.svg", 180),
}
"""Each PNG, the SVG it is drawn from, its edge in pixels. iOS rounds corners by itself, and blackens clear ones."""

COLOURS = 48
"""Two flat colours and the steps between them."""


def main() -> None:
    """Draw each icon in Chromium and keep it with few colours."""
    with sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        for name, (source, edge) in DRAWN.items():
            page = browser.new_page(viewport={"width": edge, "height": edge})
            svg = (ICONS / source).read_text().replace("<svg ", f'<svg width="{edge}" height="{edge}" ')
            page.set_content(f"<style>body{{margin:0}}svg{{display:block}}</style>{svg}")
            drawn = Image.open(io.BytesIO(page.screenshot(omit_background=True)))
            is_clear = drawn.mode == "RGBA" and drawn.getextrema()[3][0] < 255
            method = Image.Quantize.FASTOCTREE if is_clear else Image.Quantize.MEDIANCUT
            drawn = drawn if is_clear else drawn.convert("RGB")
            drawn.quantize(COLOURS, method, dither=Image.Dither.NONE).save(ICONS / name, optimize=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
