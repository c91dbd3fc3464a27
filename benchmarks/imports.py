"""How long ``import qi_equity`` takes, as a ratio to ``import pandas``: at most 1.3.

Run: ``python benchmarks/imports.py``. Fresh processes, best of several, both measured in turn. The line below
it is the time to the first chart, with everything that is loaded on first use.
"""

from __future__ import annotations

import subprocess
import sys
import time

FIRST_CHART = """
import qi_equity as qe
import pandas as pd
rows = pd.DataFrame({"m": ["2024-01", "2024-02"], "x": [3, 4], "n": [50, 60]})
series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n")
qe.control_chart(series).points
"""
CODES = {
    "import pandas": "import pandas",
    "import qi_equity": "import qi_equity",
    "first chart": FIRST_CHART,
}
REPEATS = 7


def main() -> None:
    """Print the table."""
    best = dict.fromkeys(CODES, float("inf"))
    for _ in range(REPEATS):
        for name, code in CODES.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            best[name] = min(best[name], time.perf_counter() - start)
    print("| what | ratio to import pandas |\n|---|---|")
    for name, seconds in best.items():
        print(f"| {name} | {seconds / best['import pandas']:.2f} |")


if __name__ == "__main__":
    main()
