"""What the example calls."""

from __future__ import annotations


def check_api_status(api_endpoint: str) -> dict[str, str]:
    """Pretend to look at an endpoint."""
    print(f"checked {api_endpoint}")
    return {"status": "ok"}
