"""The page: /, its files, and plotly.js."""

from fastapi import APIRouter, Request, Response

from server.assets import PageFiles, Plotly, index_response


def page_routes(files: PageFiles, plotly: Plotly) -> APIRouter:
    """The routes of the page, which are no part of the programming interface."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=["GET", "HEAD"])
    def get_page(request: Request) -> Response:
        return index_response(files, plotly, request.headers)

    @router.api_route(plotly.path, methods=["GET", "HEAD"])
    def get_plotly(request: Request) -> Response:
        return plotly.response(request.headers)

    return router
