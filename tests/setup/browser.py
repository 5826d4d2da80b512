"""Finds a Chromium and Chinese fonts, and installs Debian's where there are none: `python -m tests.setup.browser`."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-noto-cjk")


def find_chromium() -> str | None:
    """The browser that tests drive: CHROMIUM from the environment, else the first on the path."""
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


def has_chinese_font() -> bool:
    """Whether a font with Chinese signs is installed."""
    listing = shutil.which("fc-list")
    if not listing:
        return False
    return bool(subprocess.run([listing, ":lang=zh"], capture_output=True, text=True, check=False).stdout.strip())


def main() -> None:
    """Install what is missing, or say what to install by hand."""
    if find_chromium() and has_chinese_font():
        return
    apt = shutil.which("apt-get")
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if apt and (not root or shutil.which("sudo")):
        print("installing", *PACKAGES, flush=True)
        quiet = {"stdout": subprocess.DEVNULL}
        subprocess.run([*root, apt, "update", "-qq"], check=False, **quiet)
        install = [*root, apt, "install", "-y", "-qq", "--no-install-recommends", *PACKAGES, "fontconfig"]
        subprocess.run(install, check=False, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, **quiet)
    if not (find_chromium() and has_chinese_font()):
        sys.exit(
            "The browser tests need Chromium and a Chinese font (Debian: apt-get install chromium fonts-noto-cjk)."
        )


if __name__ == "__main__":
    main()
