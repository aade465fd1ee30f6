"""/api/addressing-modes: the named lists of interventions."""

from fastapi import APIRouter

from ntm_core.interventions import MODES
from server.schemas import AddressingModeList


def addressing_mode_routes() -> APIRouter:
    """The routes of the resource `addressing-modes`."""
    router = APIRouter(prefix="/api/addressing-modes", tags=["traces"])

    @router.get("", summary="All addressing modes with their definitions and interventions")
    def list_modes() -> AddressingModeList:
        return mode_list()

    return router


def mode_list() -> AddressingModeList:
    """All addressing modes, as they are listed."""
    return AddressingModeList(modes=tuple(MODES.values()))
