"""What an engine must be able to do. One class per engine; the process around it is the same for all."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from runtime.config import EngineConfig
from runtime.engine.wire import Loading, ScriptsNotRead
from runtime.results import EngineInfo, PageResult, Progress
from runtime.tasks.task import Ask, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OnProgress = Callable[[Progress], None]


class Cancelled(Exception):
    """Nobody waits for this page any more."""


class Gone(Exception):
    """The model behind this engine died or hangs: the process ends, and the page may be sent again."""


class NotItsScript(Exception):
    """Most of the page is in scripts that this engine does not read: nothing of it is returned."""

    def __init__(self, not_read: ScriptsNotRead) -> None:
        super().__init__(", ".join(not_read.scripts))
        self.not_read = not_read


class Engine(ABC):
    """Reads pages, one at a time; the process has as many instances as the configuration's `parallel` says.

    `together`: there is one instance, whose `read` is called in so many threads at a time. Pages may then
    wait for one another inside it, so that one page's silence is no sign that it hangs while others come on.
    """

    together = False

    @classmethod
    @abstractmethod
    def configured(cls, config: EngineConfig) -> Engine:
        """The engine that `config` describes. Raises ValueError if something it needs is not in there."""

    @abstractmethod
    def info(self) -> EngineInfo:
        """Name, version and models. Must answer before `load`, at once."""

    @abstractmethod
    def tasks(self) -> tuple[Task, ...]:
        """What it can be asked. Must answer before `load`, at once."""

    @abstractmethod
    def why_not(self) -> str:
        """Why it has not the other tasks: a sentence for whoever asked for one."""

    def why_not_zh(self) -> str:
        """The same in Chinese; "" where nobody has said it."""
        return ""

    def takes_prompts(self) -> bool:
        """Whether it can be asked in a person's own words (Ask.prompt)."""
        return False

    @abstractmethod
    def load(self) -> None:
        """Make ready to read, models in memory. Called once, in a thread; may take minutes.

        Raises anything if this engine cannot work on this machine; the process then ends.
        """

    def loading(self) -> Loading | None:
        """What `load` is at, where it can tell; called from any thread."""
        return None

    @abstractmethod
    def read(
        self, page: NDArray[np.uint8], ask: Ask, on_progress: OnProgress, cancelled: threading.Event
    ) -> PageResult:
        """Read one page: height x width x 3, RGB; `ask` is one of `tasks`. `elapsed_s` is this call's wall time.

        Calls `on_progress` between steps; raises Cancelled soon after `cancelled` is set, Gone when its
        model died, and NotItsScript. Any other exception means that this page could not be read; the engine must
        stay usable.
        """

    def metrics(self) -> str:
        """What its model's server tells about itself, in Prometheus' text format; called from any thread."""
        return ""

    def close(self) -> None:  # noqa: B027  most engines have nothing of the kind
        """End what `load` started outside this process. Called once, also if `load` failed."""
