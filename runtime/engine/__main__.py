"""`python3 -m runtime.engine --config PATH --name NAME`: run one engine of the ladder."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
from pathlib import Path

import uvicorn

from runtime import config, logs
from runtime.engine import memory, watchdog
from runtime.engine.contract import Engine
from runtime.engine.server import EngineServer
from runtime.service_notify import notify
from runtime.sockets import listen_unix

ENGINES = {
    "rapidocr": "runtime.engine.rapidocr_engine:RapidOcrEngine",
    "transformers": "runtime.engine.transformers_engine:TransformersEngine",
    "vllm": "runtime.engine.vllm_engine:VllmEngine",
}
"""Engine names to classes, imported only when asked for: each brings its own heavy libraries."""


def create(engine: config.EngineConfig) -> Engine:
    """The engine of that name, not yet loaded.

    Raises KeyError for a name that does not exist, ValueError for one whose configuration lacks something.
    """
    module, _, name = ENGINES[engine.name].partition(":")
    created = getattr(importlib.import_module(module), name).configured(engine)
    assert isinstance(created, Engine)
    return created


def workers(engine: config.EngineConfig) -> list[Engine]:
    """An instance for each page in hand, or one that reads them together, so many times. Raises as `create`."""
    first = create(engine)
    if first.together:
        return [first] * engine.parallel
    return [first, *(create(engine) for _ in range(engine.parallel - 1))]


async def serve(station: config.StationConfig, engine: config.EngineConfig) -> None:
    """Listen first, then load: `/health` answers while the model is on its way."""
    listener = listen_unix(engine.socket)
    created = workers(engine)
    most_bytes, recycle_bytes = memory.limits(engine.supervision)
    server = EngineServer(
        created,
        max_pixels=station.limits.page_pixels,
        recycle_bytes=recycle_bytes,
        recycle_pages=engine.supervision.recycle_pages,
        socket=engine.socket,
    )
    watchdog.start(server.pulse, most_bytes)
    http = uvicorn.Server(
        uvicorn.Config(server.app, log_config=None, access_log=False, lifespan="on", timeout_keep_alive=60)
    )
    loading = asyncio.create_task(_load(server, engine))
    try:
        await http.serve(sockets=[listener])
    finally:
        loading.cancel()
        for worker in dict.fromkeys(created):
            worker.close()
        engine.socket.unlink(missing_ok=True)


async def _load(server: EngineServer, engine: config.EngineConfig) -> None:
    await server.load(engine.supervision.load_s)
    notify("READY=1")  # from here on systemd, or whoever supervises, waits for signs of life


def main() -> int:
    """Exit code 2 if the configuration has no engine of that name."""
    parser = argparse.ArgumentParser(prog="runtime.engine", description=__doc__)
    parser.add_argument("--config", type=Path, default=None)
    parser.add_argument("--name", required=True)
    arguments = parser.parse_args()
    station = config.load(arguments.config)
    logs.configure(station.logs)
    chosen = next((engine for engine in station.engines if engine.name == arguments.name), None)
    if chosen is None or chosen.name not in ENGINES:
        print(f"no engine {arguments.name!r} in this configuration", file=sys.stderr)
        return 2
    asyncio.run(serve(station, chosen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
