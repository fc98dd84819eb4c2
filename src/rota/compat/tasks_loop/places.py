"""So many jobs at a time: each in a thread, or, where it is one at a time, in the thread of who starts it.

One at a time is what most programs say, and then whatever they have put into `execute_job` runs where it always ran.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from rota.compat.tasks_loop.job import Job


class Places:
    """Starts jobs while there is a place."""

    def __init__(self, size: int, perform: Callable[[Job], None]) -> None:
        self._size, self._perform = size, perform
        self._lock = threading.Lock()
        self._taken: set[str] = set()
        self._threads: list[threading.Thread] = []
        self._news = threading.Event()

    @property
    def free(self) -> int:
        """How many jobs may be started now."""
        return self._size - len(self._taken)

    @property
    def busy(self) -> bool:
        """Tell whether anything is at work."""
        return bool(self._taken)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._taken

    def start(self, job: Job) -> bool:
        """Start a job; False when it is running already, or there is no place."""
        with self._lock:
            if job.id in self._taken or not self.free:
                return False
            self._taken.add(job.id)
            if self._size > 1:
                self._threads = [each for each in self._threads if each.is_alive()]
                thread = threading.Thread(target=self._work, args=(job,), name=f"job {job.id}", daemon=True)
                self._threads.append(thread)
                thread.start()
                return True
        self._work(job)
        return True

    def _work(self, job: Job) -> None:
        try:
            self._perform(job)
        finally:
            with self._lock:
                self._taken.discard(job.id)
            self._news.set()

    def wake(self) -> None:
        """End somebody's wait."""
        self._news.set()

    def wait(self, seconds: float) -> None:
        """Wait until a job has ended, or the time is over."""
        self._news.wait(seconds)
        self._news.clear()

    def join(self) -> None:
        """Wait until nothing is at work any more."""
        for thread in self._threads:
            thread.join()
