"""rota: a scheduler that never loses, doubles or hides a run."""

from rota.errors import RotaError

__all__ = ["RotaError", "__version__"]

__version__ = "0.1.0"
