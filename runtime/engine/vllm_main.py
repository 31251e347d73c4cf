"""`python3 -m runtime.engine.vllm_main serve ...`: vLLM's command line, none of whose processes outlives its parent.

When vLLM's server is killed, its engine core and worker stay, and keep the card's memory: they lead
sessions of their own and do not look after their parent. But each is spawned by multiprocessing, which
imports the main module into every process it makes, under another name. So what this module does when
it is imported, it does in all of them.
"""

from __future__ import annotations

import multiprocessing
import os

from runtime.child_process import end_with_parent


def main() -> None:
    """Run `vllm` with this process's arguments."""
    from vllm.entrypoints.cli.main import main as vllm

    vllm()


if __name__ == "__main__":
    main()
else:
    parent = multiprocessing.parent_process()
    end_with_parent(os.getppid() if parent is None or parent.pid is None else parent.pid)
