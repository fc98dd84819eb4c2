"""A function that a job calls; what it returns is kept as the run's result."""


def main(shop: str, days: int = 1) -> dict[str, object]:
    """Pretend to count what was sold."""
    print(f"{shop}: looking at {days} days")
    return {"shop": shop, "days": days, "sold": 42}
