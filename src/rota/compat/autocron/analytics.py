"""What has come of each task so far, over all programs of a user: a JSON file, and advice from it.

The file is written as a whole or not at all, is its owner's alone, and is changed by one process at a time, so that two
programs lose nothing of each other's.
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from rota.compat.autocron.locking import locked
from rota.compat.autocron.logger import get_logger
from rota.compat.autocron.utils import get_autocron_home
from rota.sdk.saved import write_document
from rota.sdk.times import now, zone_named

KEPT = 100
_RECENT, _LATEST = 10, 5
_POOR, _OFTEN, _LONG, _MANY = 80.0, 0.5, 300.0, 3
_COUNTS = ("total_runs", "successful_runs", "failed_runs", "total_retries")


class TaskAnalytics:
    """Keeps how tasks went, and draws conclusions from it."""

    def __init__(self, storage_path: str | os.PathLike[str] | None = None) -> None:
        self.storage_path = Path(get_autocron_home() / "analytics.json" if storage_path is None else storage_path)

    def record_execution(
        self, task_name: str, success: bool, duration: float, error: str | None = None, retry_count: int = 0
    ) -> None:
        """Keep how a run went; of each task the last 100 runs are kept, and the sums of all."""
        with locked(f"{self.storage_path}.lock"):
            data = self._read()
            kept = data.setdefault(task_name, {})
            for count in _COUNTS:
                kept.setdefault(count, 0)
            kept["total_runs"] += 1
            kept["successful_runs" if success else "failed_runs"] += 1
            kept["total_retries"] += retry_count
            kept["total_duration"] = kept.get("total_duration", 0.0) + duration
            at = now().isoformat()
            row = {
                "timestamp": at,
                "success": success,
                "duration": duration,
                "error": error,
                "retry_count": retry_count,
            }
            kept["history"] = [*kept.get("history", []), row][-KEPT:]
            kept["first_run"], kept["last_run"] = kept.get("first_run") or at, at
            write_document(self.storage_path, data)

    def _read(self) -> dict[str, dict[str, Any]]:
        """Return all that is kept; a file that is damaged is put aside, and the log says so."""
        try:
            found = json.loads(self.storage_path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            found = error
        if isinstance(found, dict) and all(isinstance(each, dict) for each in found.values()):
            return found
        aside = self.storage_path.with_name(f"{self.storage_path.name}.damaged")
        os.replace(self.storage_path, aside)
        get_logger().warning("%s is damaged, and was put aside as %s", self.storage_path, aside.name)
        return {}

    def get_task_stats(self, task_name: str) -> dict[str, Any] | None:
        """Return a task's figures; None where it has not run."""
        return _stats(task_name, self._read().get(task_name))

    def get_all_stats(self) -> list[dict[str, Any]]:
        """Return the figures of all tasks, the one that ran last first."""
        found = [_stats(name, kept) for name, kept in self._read().items()]
        return sorted(filter(None, found), key=lambda each: instant_of(each["last_run"]), reverse=True)

    def get_recommendations(self, task_name: str) -> list[str]:
        """Return what the figures suggest, in sentences."""
        stats = self.get_task_stats(task_name)
        if stats is None:
            return ["It has not run yet."]
        again = stats["total_retries"] / stats["total_runs"]
        failed = sum(not row["success"] for row in stats["recent_history"][-_LATEST:])
        found = []
        if stats["success_rate"] < _POOR:
            found.append(f"Low success rate ({stats['success_rate']:.1f}%): see why it fails, or give it more retries.")
        if again > _OFTEN:
            found.append(f"High retry rate ({again:.1f} a run): what it depends on is not there at that time.")
        if stats["avg_duration"] > _LONG:
            found.append(f"Long average duration ({stats['avg_duration']:.1f}s): run it less often, or make it faster.")
        if failed >= _MANY:
            found.append(f"Multiple recent failures ({failed} of the last {_LATEST} runs): look into its log.")
        return found or ["The task is performing well."]


def _stats(name: str, kept: dict[str, Any] | None) -> dict[str, Any] | None:
    if not kept or not kept.get("total_runs"):
        return None
    runs = kept["total_runs"]
    return {
        "task_name": name,
        **{count: kept.get(count, 0) for count in _COUNTS},
        "success_rate": kept.get("successful_runs", 0) / runs * 100,
        "avg_duration": kept.get("total_duration", 0.0) / runs,
        "first_run": kept.get("first_run"),
        "last_run": kept.get("last_run"),
        "recent_history": kept.get("history", [])[-_RECENT:],
    }


def instant_of(text: str) -> datetime:
    """Return a kept time; AutoCron itself has written the wall clock of its machine."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=zone_named(None))
