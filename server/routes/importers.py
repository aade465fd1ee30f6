"""/api/importers: whose files can be read."""

from fastapi import APIRouter

from ntm_core.checkpoints.importers import registry
from server.schemas import ImporterInfo, ImporterList


def importer_routes() -> APIRouter:
    """The routes of the resource `importers`."""
    router = APIRouter(prefix="/api/importers", tags=["importers"])

    @router.get("", summary="All importers of other programs' files")
    def list_importers() -> ImporterList:
        known = registry()
        importers = tuple(ImporterInfo(name=importer.name, title=importer.title) for importer in known.importers)
        return ImporterList(importers=importers, problems=known.problems)

    return router
