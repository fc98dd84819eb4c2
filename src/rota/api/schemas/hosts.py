"""Hosts, as REST answers and asks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rota.api.schemas.base import RUN_ID, Answer, Asked, Instant


class Host(Answer):
    """A machine that works on this store."""

    name: str = Field(examples=["db-1"])
    state: Literal["up", "draining", "drained", "stopped", "gone"] = Field(
        description="`up`; `draining`: it starts nothing more, and something still runs there; `drained`; `stopped`: "
        "its engine was stopped in order; `gone`: it was not seen for 30 s.",
        examples=["up"],
    )
    plans: bool = Field(description="It is the one that plans for all, where there are several.")
    hands_over: bool = Field(description="What runs there goes to other hosts, where that is allowed.")
    running: int = Field(description="How many runs are running there.", examples=[2])
    capacity: int = Field(description="How many it takes at once.", examples=[8])
    max_running: int | None = Field(description="How many may run on all hosts, as far as this one is asked.")
    labels: dict[str, str] = Field(description="What jobs may ask for in `runs_on`.", examples=[{"gpu": "a100"}])
    version: str = Field(examples=["1.0.0"])
    schema_: int = Field(alias="schema", description="The schema of stores that its version knows.", examples=[6])
    started_at: Instant
    seen_at: Instant
    id: str = Field(description="The id of its home, which stays when it gets another name.")


class HostDetails(Host):
    """A host, and what runs there."""

    runs: list[str] = Field(description="What runs there now, by id.", examples=[[RUN_ID]])


class HostList(Answer):
    """Hosts, by name."""

    items: list[Host]


class DrainRequest(Asked):
    """How a host is drained."""

    hand_over: bool = Field(
        default=False,
        description="End what other hosts may begin again, and let them; what has no retries goes on to its end.",
    )
