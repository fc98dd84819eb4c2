"""Programs of Taskflows run on rota when they import from here what they imported from `taskflows`."""

from rota.compat.taskflows.alerts import Alerts
from rota.compat.taskflows.constraints import (
    CgroupConfig,
    CPUPressure,
    CPUs,
    HardwareConstraint,
    IOPressure,
    Memory,
    MemoryPressure,
    SystemLoadConstraint,
)
from rota.compat.taskflows.docker import ContainerLimits, DockerContainer, DockerImage, Ulimit, Volume
from rota.compat.taskflows.exceptions import (
    CallFailed,
    NotCarried,
    NotYet,
    SecurityError,
    TaskflowsError,
    TaskTimeout,
    ValidationError,
)
from rota.compat.taskflows.schedule import Calendar, Periodic, Schedule
from rota.compat.taskflows.service import RestartPolicy, Service, ServiceRegistry, Venv
from rota.compat.taskflows.tasks import TaskLogger, get_current_task_id, run_task, task

__all__ = [
    "Alerts",
    "CPUPressure",
    "CPUs",
    "Calendar",
    "CallFailed",
    "CgroupConfig",
    "ContainerLimits",
    "DockerContainer",
    "DockerImage",
    "HardwareConstraint",
    "IOPressure",
    "Memory",
    "MemoryPressure",
    "NotCarried",
    "NotYet",
    "Periodic",
    "RestartPolicy",
    "Schedule",
    "SecurityError",
    "Service",
    "ServiceRegistry",
    "SystemLoadConstraint",
    "TaskLogger",
    "TaskTimeout",
    "TaskflowsError",
    "Ulimit",
    "ValidationError",
    "Venv",
    "Volume",
    "get_current_task_id",
    "run_task",
    "task",
]
