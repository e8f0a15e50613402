"""Every figure shows n and spread."""

from __future__ import annotations

from workbench.research.charts import bar_chart, dot_chart


def test_every_mean_is_shown_with_n_and_spread() -> None:
    chart = dot_chart("motion by axis", {"fog": [1.0, 2.0, 3.0], "rain": [5.0]})
    assert "2 ± 1, n = 3" in chart
    assert "5, n = 1" in chart
    assert chart.count("<line") == 1, "one value has no mean to draw"
    assert chart.count("<circle") == 4
    assert "4 ± 2.8 s, n = 2" in bar_chart("time", {"cpu": [2.0, 6.0]}, "s")
