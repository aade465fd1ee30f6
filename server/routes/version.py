"""/api/version: which program this is and what it allows."""

from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter

from server.schemas import Limits, VersionInfo
from server.settings import Settings


def version_routes(plotly_version: str, settings: Settings) -> APIRouter:
    """The routes of the resource `version`."""
    router = APIRouter(prefix="/api/version", tags=["version"])
    answer = VersionInfo(version=program_version(), plotly=plotly_version, limits=Limits.model_validate(settings))

    @router.get("", summary="Versions and limits")
    async def get_version() -> VersionInfo:
        return answer

    return router


def program_version() -> str:
    """The version of the installed program; a checkout that is not installed has none."""
    try:
        return version("ntm-scope")
    except PackageNotFoundError:
        return "not installed"
