"""AutoCron's module of this name: what has come of the tasks, in a terminal."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rota.compat.autocron.analytics import TaskAnalytics, instant_of
from rota.sdk.times import now

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = ["Dashboard", "TaskAnalytics", "live_dashboard", "live_monitor", "show_dashboard", "show_task"]

_NARROW = 60
_WELL, _FAIRLY = 95.0, 80.0
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_EXPORTED = "autocron_stats.json"
_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


class Dashboard:
    """Shows figures in a terminal. On a narrow one, columns are left out before they become unreadable."""

    def __init__(self, analytics: TaskAnalytics | None = None) -> None:
        from rich.console import Console

        self.analytics = analytics or TaskAnalytics()
        self.console: Console = Console()

    def show_summary(self) -> None:
        """Show all tasks in a table."""
        stats = self.analytics.get_all_stats()
        if not stats:
            self.console.print("No task execution history available yet.")
            return
        self.console.print(_summary("AutoCron Task Summary", stats, self.console))

    def show_task_details(self, task_name: str) -> None:
        """Show one task: its figures, its last runs, and what they suggest."""
        from rich.panel import Panel
        from rich.text import Text

        stats = self.analytics.get_task_stats(task_name)
        if stats is None:
            self.console.print(_plain(f"No data found for task: {task_name}", "red"))
            return
        self.console.print(_facts(stats))
        self.console.print(_history(stats, self.console))
        advice = Text("\n".join(self.analytics.get_recommendations(task_name)))
        self.console.print(Panel(advice, title="Recommendations", border_style="green"))

    def show_live_monitor(self, refresh_rate: float = 2) -> None:
        """Show all tasks until Ctrl-C, and look again every so many seconds."""
        from rich.live import Live

        never = threading.Event()
        try:
            with Live(self._generate_live_view(), console=self.console, auto_refresh=False) as live:
                while not never.wait(refresh_rate):
                    live.update(self._generate_live_view(), refresh=True)
        except KeyboardInterrupt:
            self.console.print("Live monitor stopped.")

    def _generate_live_view(self) -> Table:
        return _summary(f"AutoCron Live Dashboard – {now().astimezone():%H:%M:%S}", self._all(), self.console)

    def _all(self) -> list[dict[str, Any]]:
        return self.analytics.get_all_stats()

    def export_stats(self, output_file: str | None = None) -> None:
        """Write the figures of all tasks into a JSON file."""
        path = output_file or _EXPORTED
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self._all(), file, indent=2, ensure_ascii=False)
        self.console.print(f"Stats exported to {path}", markup=False, highlight=False)


def _table(title: str, console: Console) -> Table:
    from rich import box
    from rich.table import Table

    narrow = console.width < _NARROW
    return Table(title=title, box=box.SIMPLE if narrow else box.ROUNDED, header_style="bold", expand=False)


def _summary(title: str, stats: list[dict[str, Any]], console: Console) -> Table:
    """Return the table of all tasks: a name, and as many figures as there is room for."""
    table = _table(title, console)
    table.add_column("Task", style="cyan", overflow="fold")
    columns = ["Runs", "Success", *(["Avg Time", "Last Run"] if console.width >= _NARROW else []), "Status"]
    for column in columns:
        table.add_column(column, justify="center" if column == "Status" else "right", no_wrap=True)
    for each in stats:
        cells = {
            "Runs": f"{each['total_runs']:,}",
            "Success": f"{each['success_rate']:.1f}%",
            "Avg Time": f"{each['avg_duration']:.2f}s",
            "Last Run": _ago(instant_of(each["last_run"])),
            "Status": _status(each["success_rate"]),
        }
        table.add_row(_plain(each["task_name"]), *(cells[column] for column in columns))
    if not stats:
        table.add_row("No tasks", *("-" for _ in columns))
    return table


def _facts(stats: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table(title=_plain(f"Task Details: {stats['task_name']}"), show_header=False, box=None, padding=(0, 2))
    for name, value in (
        ("Total Runs", f"{stats['total_runs']:,}"),
        ("Successful", f"{stats['successful_runs']:,}"),
        ("Failed", f"{stats['failed_runs']:,}"),
        ("Success Rate", f"{stats['success_rate']:.2f}%"),
        ("Avg Duration", f"{stats['avg_duration']:.2f}s"),
        ("Total Retries", f"{stats['total_retries']:,}"),
        ("First Run", f"{instant_of(stats['first_run']).astimezone():%Y-%m-%d %H:%M:%S}"),
        ("Last Run", f"{instant_of(stats['last_run']).astimezone():%Y-%m-%d %H:%M:%S}"),
    ):
        table.add_row(name, value)
    return table


def _history(stats: dict[str, Any], console: Console) -> Table:
    """Return the last runs, the newest first."""
    table = _table("Recent Execution History", console)
    wide = console.width >= _NARROW
    for column in ("Time", "Status", *(["Duration", "Retries"] if wide else [])):
        table.add_column(column, no_wrap=True)
    table.add_column("Error", style="red", overflow="fold")
    for row in reversed(stats["recent_history"]):
        at = f"{instant_of(row['timestamp']).astimezone():%m-%d %H:%M:%S}"
        cells = [at, "ok" if row["success"] else "failed"]
        cells += [f"{row['duration']:.2f}s", str(row["retry_count"] or "-")] if wide else []
        table.add_row(*cells, _plain(row["error"] or "-"))
    return table


def _plain(text: str, style: str = "") -> Text:
    """Return a text as it is on one line: what looks like markup is a part of it, and control codes do nothing."""
    from rich.text import Text

    line = " ".join(text.split())
    return Text("".join(letter if letter.isprintable() else _UNPRINTABLE for letter in line), style)


def _status(success_rate: float) -> str:
    if success_rate >= _WELL:
        return "[green]well[/]"
    return "[yellow]fair[/]" if success_rate >= _FAIRLY else "[red]poor[/]"


def _ago(at: datetime) -> str:
    seconds = int((now() - at).total_seconds())
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE}m ago"
    return f"{seconds // _HOUR}h ago" if seconds < _DAY else f"{seconds // _DAY}d ago"


def show_dashboard() -> None:
    """Show all tasks."""
    Dashboard().show_summary()


def show_task(task_name: str) -> None:
    """Show one task."""
    Dashboard().show_task_details(task_name)


def live_monitor(refresh_rate: float = 2) -> None:
    """Show all tasks until Ctrl-C."""
    Dashboard().show_live_monitor(refresh_rate)


live_dashboard = live_monitor
