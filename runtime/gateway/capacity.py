"""`GET /v1/capacity`: how full the station is, for callers who would rather ask than be refused."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from runtime.config import StationConfig
from runtime.gateway.job_service import JobService
from runtime.gateway.metrics import Metrics
from runtime.gateway.reader import Reader


class EngineCapacity(BaseModel):
    """`parallel`: pages that it reads at a time."""

    name: str
    ready: bool
    parallel: int
    tasks: list[str]


class Capacity(BaseModel):
    """`pages_waiting` of at most `pages_limit`, and so on; `jobs`: not finished, synchronous calls among them.

    `seconds_a_page`: of the last pages, newer ones weighing more; `wait_s`: for a page sent now. Both
    None while nothing has been read yet.
    """

    state: str
    engines: list[EngineCapacity]
    pages_waiting: int
    pages_limit: int
    jobs: int
    jobs_limit: int
    pixels_waiting: int
    pixels_limit: int
    bytes_held: int
    bytes_limit: int
    seconds_a_page: float | None
    wait_s: float | None


def capacity_routes(config: StationConfig, reader: Reader, jobs: JobService, counted: Metrics) -> APIRouter:
    """The route of `GET /v1/capacity`."""
    router = APIRouter()

    @router.get("/v1/capacity", summary="How full the station is", tags=["Station"])
    async def capacity() -> Capacity:
        load = await jobs.load()
        waiting = reader.waiting + load.pages
        each = counted.seconds_a_page
        at_a_time = max((engine.parallel for engine in reader.engines if engine.ready), default=1)
        return Capacity(
            state=reader.state,
            engines=[
                EngineCapacity(
                    name=engine.name,
                    ready=engine.ready,
                    parallel=engine.parallel,
                    tasks=[task.value for task in engine.known.tasks] if engine.known else [],
                )
                for engine in reader.engines
            ],
            pages_waiting=waiting,
            pages_limit=config.limits.queue_pages,
            jobs=load.jobs,
            jobs_limit=config.limits.queue_jobs,
            pixels_waiting=load.pixels,
            pixels_limit=config.limits.queue_pixels,
            bytes_held=load.held_bytes,
            bytes_limit=config.limits.queue_bytes,
            seconds_a_page=None if each is None else round(each, 3),
            wait_s=None if each is None else round(waiting * each / at_a_time, 1),
        )

    return router
