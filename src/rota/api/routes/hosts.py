"""Hosts: which machines work on this store, and what people say to them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Depends

from rota.api.audit import audited
from rota.api.desks import AtDesk
from rota.api.names import HostName
from rota.api.schemas.hosts import DrainRequest, Host, HostDetails, HostList
from rota.api.who import needs
from rota.control.views import host_view
from rota.model.access import Scope

router = APIRouter(prefix="/hosts", tags=["hosts"], dependencies=[Depends(needs(Scope.READ))])


@router.get("", summary="List hosts")
def list_hosts(desk: AtDesk) -> HostList:
    """Return every host, by name. A store in a home has one."""
    return HostList(items=[Host(**host_view(view)) for view in desk.hosts.all()])


@router.get("/{name}", summary="Show a host")
def show_host(name: HostName, desk: AtDesk) -> HostDetails:
    """Return a host, and what runs there."""
    view = host_view(desk.hosts.one(name))
    return HostDetails(**view, runs=[run.id for run in desk.hosts.running(name)])


@router.post("/{name}/drain", summary="Drain a host", dependencies=[audited("host.drain", Scope.RUN)])
def drain_host(
    name: HostName,
    desk: AtDesk,
    asked: Annotated[DrainRequest | None, Body()] = None,
) -> Host:
    """Let a host start nothing more. The host of a store in a home cannot be drained (409)."""
    return Host(**host_view(desk.hosts.drain(name, hand_over=asked is not None and asked.hand_over)))


@router.post("/{name}/resume", summary="Resume a host", dependencies=[audited("host.resume", Scope.RUN)])
def resume_host(name: HostName, desk: AtDesk) -> Host:
    """Let a drained host start runs again."""
    return Host(**host_view(desk.hosts.resume(name)))


@router.delete(
    "/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Forget a host",
    dependencies=[audited("host.forget", Scope.WRITE)],
)
def forget_host(name: HostName, desk: AtDesk) -> None:
    """Forget a host that is gone for good (409 while it is not); one that comes back is known again."""
    desk.hosts.forget(name)
