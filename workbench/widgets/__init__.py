"""The workbench as a widget, for notebooks and dashboards."""

from workbench.widgets.workbench import Workbench

__all__ = ["Workbench"]
