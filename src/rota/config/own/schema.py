"""The JSON Schema of rota's own job files, made from their documents."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from rota.config.own.documents import FileDocument

_TITLE = "rota's job files"


def schema() -> dict[str, Any]:
    """Return the schema; a null default says nothing to an editor, and is left out."""
    made = FileDocument.model_json_schema(schema_generator=Plain)
    return {"$schema": GenerateJsonSchema.schema_dialect} | made | {"title": _TITLE}


class Plain(GenerateJsonSchema):
    """Without titles, which would only repeat the keys, and without defaults that are no value."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 -- the generator's signature
        """Give no field a title."""
        return False

    def default_schema(self, schema: Any) -> Any:
        """Leave out a default of null."""
        made = super().default_schema(schema)
        if made.get("default", 0) is None:
            made.pop("default")
        return made
