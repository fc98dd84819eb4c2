"""The states of runs that lists can be filtered by, each with its words: the same on every page."""

from __future__ import annotations

from rota.model.run import SEVERAL, State

Choice = tuple[str, str]
_OF_SEVERAL = {"active": "not ended yet", "trouble": "went wrong"}
SEVERAL_STATES: tuple[Choice, ...] = tuple((word, _OF_SEVERAL[word]) for word in SEVERAL)
STATES: tuple[Choice, ...] = (*SEVERAL_STATES, *((state.value, state.words) for state in State))
