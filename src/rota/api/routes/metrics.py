"""Metrics, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from rota.api.desks import AtDesk
from rota.api.metrics import metrics_text
from rota.api.who import needs
from rota.model.access import Scope

router = APIRouter(tags=["health"], dependencies=[Depends(needs(Scope.READ))])


@router.get("/metrics", response_class=PlainTextResponse, summary="Metrics in Prometheus' format")
def metrics(desk: AtDesk) -> Response:
    """Return totals and what is going on, as text."""
    return Response(metrics_text(desk), media_type=CONTENT_TYPE_LATEST)
