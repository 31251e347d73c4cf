"""`python3 -m runtime.engine.vllm_main --config PATH --name vllm`: vLLM's server, for the engine of that name.

When vLLM's server is killed, its engine core and worker stay, and keep the card's memory: they lead
sessions of their own and do not look after their parent. But each is spawned by multiprocessing, which
imports the main module into every process it makes, under another name. So what this module does when
it is imported, it does in all of them.
"""

from __future__ import annotations

import multiprocessing
import os
import sys

from runtime.child_process import end_with_parent


def main() -> int:
    """Serve until SIGTERM. Exit code 2 if the configuration has no such engine, or one without a model.

    Raises FileNotFoundError or ValueError for a folder without safetensors, or with pickles.
    """
    import argparse
    from pathlib import Path

    from runtime import config
    from runtime.engine.loading_phases import watch_output
    from runtime.engine.prompted import refuse_pickles
    from runtime.engine.vllm_server import ENVIRONMENT, arguments, pages_together, socket_of

    parser = argparse.ArgumentParser(prog="runtime.engine.vllm_main", description=__doc__)
    parser.add_argument("--config", type=Path, default=None)
    parser.add_argument("--name", default="vllm")
    asked = parser.parse_args()
    engine = next((each for each in config.load(asked.config).engines if each.name == asked.name), None)
    if engine is None or engine.model is None:
        print(f"no engine {asked.name!r} with a model in this configuration", file=sys.stderr)
        return 2
    refuse_pickles(engine.model.folder)
    os.environ.update({**ENVIRONMENT, **engine.model.environment})
    path = socket_of(engine)
    path.unlink(missing_ok=True)  # one left behind by a killed server would be in the way
    watch_output(path)
    sys.argv = ["vllm", "serve", *arguments(engine.model, path, pages_together(engine.parallel))]
    from vllm.entrypoints.cli.main import main as vllm

    vllm()
    return 0


if __name__ == "__main__":
    sys.exit(main())
else:
    parent = multiprocessing.parent_process()
    end_with_parent(os.getppid() if parent is None or parent.pid is None else parent.pid)
