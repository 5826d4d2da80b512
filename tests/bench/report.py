"""What was measured, as figures for a file and as a table for the eye. Nothing here passes or fails."""

from typing import Any

from tests.bench.measure import Measured, Sample
from tests.bench.requests import PAGES, SAVING

AIMS = {"reading": 5.0, "saving": 3.0, "growth": 1.3}
"""What the ratios aim at: reading ÷ bare page, saving ÷ (bare insert + bare page), most communities ÷ fewest."""


def figures(measured: Measured, sizes: list[int], database: str) -> dict[str, Any]:
    """All figures, times in milliseconds."""
    return {
        "database": database,
        "communities": sizes,
        "aims": AIMS,
        "bare_page": _times(measured.bare_page),
        "bare_insert": _times(measured.bare_insert),
        "pages": {page: _page(measured, page, sizes) for page in PAGES},
    }


def _times(sample: Sample) -> dict[str, Any]:
    return {
        "requests": len(sample.times),
        "median_ms": round(sample.median * 1000, 3),
        "p99_ms": round(sample.percentile_99 * 1000, 3),
    }


def _page(measured: Measured, page: str, sizes: list[int]) -> dict[str, Any]:
    baseline = measured.baseline(page)
    by_size = {}
    for size in sizes:
        sample = measured.pages[page, size]
        by_size[str(size)] = _times(sample) | {
            "queries": max(sample.queries),
            "ratio": round(sample.median / baseline, 2),
        }
    fewest, most = measured.pages[page, sizes[0]], measured.pages[page, sizes[-1]]
    return {
        "aim": AIMS["saving" if page == SAVING else "reading"],
        "by_communities": by_size,
        "growth": round(most.median / fewest.median, 2),
        "queries_growth": max(most.queries) - max(fewest.queries),
    }


def table(found: dict[str, Any]) -> str:
    """The figures in columns, a line for each page and number of communities."""
    head = f"{'':10}{'communities':>12}{'median ms':>11}{'p99 ms':>9}{'queries':>9}{'ratio':>8}{'aim':>6}{'growth':>8}"
    lines = [found["database"], head]
    for name in ("bare_page", "bare_insert"):
        times = found[name]
        lines.append(f"{name.replace('_', ' '):22}{times['median_ms']:>11.2f}{times['p99_ms']:>9.2f}")
    for name, page in found["pages"].items():
        sizes = list(page["by_communities"])
        for size, line in page["by_communities"].items():
            growth = f"{page['growth']:>8.2f}" if size == sizes[-1] and len(sizes) > 1 else ""
            lines.append(
                f"{name:10}{size:>12}{line['median_ms']:>11.2f}{line['p99_ms']:>9.2f}{line['queries']:>9}"
                f"{line['ratio']:>8.1f}{page['aim']:>6.0f}{growth}"
            )
    lines.append("ratio: reading ÷ bare page, saving ÷ (bare page + bare insert); growth: most ÷ fewest communities")
    return "\n".join(lines)
