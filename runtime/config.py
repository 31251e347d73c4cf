"""The station's configuration: one JSON file, rendered from the profile when the image is built.

The same file drives `build.py serve`, so a program behaves alike on a stick and on a desk.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

from runtime.admin.pin import FORMAT
from runtime.alerts.rules import AlertRule
from runtime.fields.forms import Form
from runtime.logs import Format
from runtime.tasks.prompts import Generation
from runtime.tasks.task import Language

DEFAULT_PATH = Path("/etc/inkstick/station.json")
_CORES = len(os.sched_getaffinity(0))
_MEMORY_BYTES = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
_CORES_A_WORKER = 4
_MEMORY_A_WORKER_BYTES = 4 * 1024**3


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listener(_Strict):
    """A TCP address; `host` is a loopback address unless the profile opens a LAN."""

    host: str
    port: int


class Limits(_Strict):
    """What one request may ask for. Over a limit is a 4xx answer, never a crash."""

    upload_bytes: PositiveInt = 64 * 1024 * 1024
    page_pixels: PositiveInt = 64_000_000
    queue_jobs: PositiveInt = 500
    """Accepted and not finished; a synchronous call is one of them."""
    queue_pages: PositiveInt = 500
    queue_pixels: PositiveInt = 8_000_000_000
    """Of the pages that wait, once they are opened; an A4 page at 300 dpi has 8.7 million."""
    queue_bytes: PositiveInt = 512 * 1024 * 1024
    """Files held in memory while they wait."""
    request_timeout_s: PositiveInt = 600
    """For one page, from its turn in the queue on, restarts of the engine included."""
    document_pages: PositiveInt = 1000
    archive_files: PositiveInt = 2000
    archive_bytes: PositiveInt = 2 * 1024 * 1024 * 1024
    """What a ZIP may unpack to, as its directory says; it is unpacked file by file, never whole."""
    archive_ratio: PositiveInt = 200
    pdf_dpi: PositiveInt = 200
    pictures_bytes: PositiveInt = 256 * 1024 * 1024
    """Of pages that were read, as the screen shows them; beyond it, those looked at longest ago become smaller."""
    decode_memory_bytes: PositiveInt = 2 * 1024 * 1024 * 1024
    decode_s: PositiveInt = 60
    """Processor time and, twice this, wall time in which one page must be opened."""
    engine_wait_s: PositiveInt = 180
    """How long a page waits for an engine to be ready before it is sent back."""


class ModelConfig(_Strict):
    """HunyuanOCR's weights in a local folder, and how to run them. Nothing is ever downloaded."""

    folder: Path
    generation: Generation = "1.0"
    prompts: Language = "zh"
    """The official prompts' language; the model reads better by the Chinese ones."""
    max_tokens: PositiveInt = 8192
    """Of one answer. A loop ends there at the latest."""
    context: PositiveInt = 16384
    """Of page, prompt and answer together, in tokens; an A4 page at 200 dpi is 3,871 of them."""
    stall_s: PositiveInt = 120
    """A model that has written no token for so long hangs, and is started anew."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """For transformers; vLLM's wheel decides for itself."""
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] | None = None
    """vLLM's part of the card: 0.78 of 24 GB shows as under 20 GB."""
    safetensors_load_strategy: Literal["lazy", "eager", "prefetch"] | None = None
    attention_backend: str | None = None
    draft: Path | None = None
    """The DFlash model for speculative decoding, of 1.5 alone."""
    arguments: list[str] = []
    """Further ones for vLLM's server."""
    forced_tokens: PositiveInt | None = None
    """For benchmarks with random weights: every answer has just so many tokens, whatever they are."""
    environment: dict[str, str] = {}
    """For vLLM's server, above this process's own."""


class EngineNeeds(_Strict):
    """What runtime.hardware looks for before this engine is started: see its Needs."""

    card: bool = False
    capability: int = 0
    vram_bytes: int = 0
    ram_bytes: int = 0
    model: bool = False


class Supervision(_Strict):
    """When an engine is taken for hung or too large. See docs/engines.md."""

    load_s: PositiveInt = 1800
    """For loading its models."""
    least_stall_s: PositiveInt = 60
    """A page without progress hangs after forty times the longest pause that this engine ever made and
    went on from, but not before this ..."""
    most_stall_s: PositiveInt = 600
    """... and at the latest after this, which holds until a pause is known."""
    answer_s: PositiveInt = 120
    """An engine process that shows no sign of life for so long is killed. On a station the unit says it."""
    memory_bytes: PositiveInt | None = None
    """An engine larger than this ends at once; None: 90 % of the memory that it may use."""
    recycle_bytes: PositiveInt | None = None
    """An engine larger than this is started anew when no page is in hand; None: 60 % of that."""
    recycle_pages: PositiveInt = 20
    """Pages that it reads at least between two such starts: where memory is short, a large engine still reads."""


def _workers(known: dict[str, Any]) -> int:
    """RapidOCR: a worker for every four cores, each with memory to work in."""
    if known.get("name") != "rapidocr":
        return 1
    return max(1, min(_CORES // _CORES_A_WORKER, _MEMORY_BYTES // _MEMORY_A_WORKER_BYTES))


class EngineConfig(_Strict):
    """One engine process. `socket` is the Unix socket it answers on."""

    name: str
    socket: Path
    threads: int = 0
    """Of each worker. 0: the cores, divided among the workers."""
    parallel: PositiveInt = Field(default_factory=_workers)
    """Pages that it reads at a time: its workers, or what its scheduler may batch."""
    languages: tuple[str, ...] | None = None
    """For rapidocr: Tesseract's data for scripts that it lacks itself, by Tesseract's names. An empty list:
    such scripts are only named. None: no Tesseract on this machine, and nothing of this kind happens."""
    backend: Literal["auto", "openvino", "onnxruntime"] = "auto"
    """What runs the CPU engine's models; auto: OpenVINO where it can."""
    model: ModelConfig | None = None
    """What an engine with a language model runs; the others have none."""
    needs: EngineNeeds | None = None
    supervision: Supervision = Supervision()

    @property
    def threads_each(self) -> int:
        """Of each worker, so that all of them together have no more than there are cores."""
        return self.threads or max(1, _CORES // self.parallel)


class TokenConfig(_Strict):
    """Tokens (JWT) that another service of the operator's signs, with the secret or for the public key here.

    `key`: a file, the secret (HS256) or the public key in PEM (EdDSA); `public_key`: the latter itself.
    `skew_s`: by how much the clocks of two machines without a network may differ.
    """

    algorithm: Literal["HS256", "EdDSA"]
    key: Path | None = None
    public_key: str | None = None
    issuer: Annotated[str, Field(min_length=1)]
    audience: Annotated[str, Field(min_length=1)] = "inkstick"
    skew_s: NonNegativeInt = 900
    longest_s: PositiveInt = 86_400
    """From `nbf` to `exp`: a token that never ends could not be forgotten when it is revoked."""
    single_use: bool = False
    """Each token is good for one call."""

    @model_validator(mode="after")
    def _has_one_key(self) -> TokenConfig:
        if (self.key is None) == (self.public_key is None):
            raise ValueError("tokens want either key, a file, or public_key")
        if self.public_key is not None and self.algorithm != "EdDSA":
            raise ValueError("public_key goes with EdDSA; a secret lies in a file")
        return self


class AuthConfig(_Strict):
    """`required`: every REST call but /livez and /readyz wants a key out of the file `keys`, which the gateway
    makes at its first start and `python3 -m runtime.keys` writes, or a token. The kiosk's own pages are not
    concerned."""

    required: bool = False
    keys: Path | None = None
    tokens: TokenConfig | None = None

    @model_validator(mode="after")
    def _has_keys(self) -> AuthConfig:
        if self.required and self.keys is None:
            raise ValueError("auth: required wants keys, a file")
        return self


Rate = Annotated[str, Field(pattern=r"^[1-9]\d*/(second|minute|hour|day)$")]


class Rates(_Strict):
    """How often one caller may call; None: as often as it likes. `work`: what is sent to be read. `calls`:
    everything else, asking for a job's progress included."""

    work: Rate | None = "1200/minute"
    calls: Rate | None = "6000/minute"


class JobsConfig(_Strict):
    """Where accepted jobs are kept: a folder on tmpfs or the vault. None: a private temporary one, with
    which an accepted job ends when the gateway does. `keep_s`: how long results can be fetched."""

    folder: Path | None = None
    keep_s: PositiveInt = 3600


class SelfTestConfig(_Strict):
    """`at_start`: the smallest golden page is read at every start. `folder`: other golden pages than the
    station's own, as `python3 -m runtime.evaluate` takes them. Beyond the bounds a test has failed."""

    at_start: bool = False
    folder: Path | None = None
    most_cer: Annotated[float, Field(ge=0)] = 0.05
    least_field_f1: Annotated[float, Field(ge=0, le=1)] = 0.8


class AdminConfig(_Strict):
    """The admin page. `pin_hash`: of a PIN set when the stick was made (`python3 -m runtime.admin.pin`); without,
    the first visitor chooses one, whose digest is kept in `pin_file` for as long as the station runs.
    `clock_socket`: the helper that may set the clock; None where the clock is not ours. `journal`: whether the
    units' own lines can be read here. `zone`: the time zone, "" for the machine's own; `zone_file`: the one that
    was chosen since."""

    pin_hash: Annotated[str, Field(pattern=FORMAT.pattern)] | None = None
    pin_file: Path | None = None
    session_s: PositiveInt = 600
    """Without a touch for so long, the PIN is wanted again."""
    lan: bool = False
    clock_socket: Path | None = None
    zone: str = ""
    zone_file: Path | None = None
    journal: bool = False
    switch_file: Path | None = None
    """Where the wish for another engine on the card is left, for the unit that may start and stop them."""


class ForgettingConfig(_Strict):
    """When what was read is forgotten by itself: `idle_s` after the last touch, `warn_s` of them counted down
    on the screen. None: never. What was not saved is never forgotten by itself: see runtime/kiosk/idleness.py."""

    idle_s: PositiveInt | None = 900
    warn_s: PositiveInt = 60


class StationConfig(_Strict):
    """Everything the programs on the station need to know.

    `engines` is the ladder: the first that is ready reads the page.
    `media_socket` is None where there is no media helper (`serve` without sticks).
    `scanner_socket`: of the scanner service; None where there is none. `printer_socket`: likewise.
    `milestones` is the device or file that gets one line a milestone; "-" is standard error.
    `painted_flag` is made by the gateway when the kiosk has reported its first paint: the
    engine's unit waits for it, so that model loading does not slow the first picture down.
    `forgotten_flag` is touched whenever a batch is forgotten: what types Chinese then begins anew.
    `hardware_report`: where runtime.hardware leaves what it found; None where nobody looks.
    `about`: the folder with the model's terms and notice, for the page; None without a model.
    """

    profile: str
    version: str
    ui: Listener
    api: Listener
    engines: list[EngineConfig]
    media_socket: Path | None = None
    scanner_socket: Path | None = None
    printer_socket: Path | None = None
    milestones: str = "-"
    painted_flag: Path | None = None
    forgotten_flag: Path | None = None
    hardware_report: Path | None = None
    about: Path | None = None
    booted_layers: Path | None = None
    """The layers that this station was started from, as the boot script lists them; None on a desk."""
    language: str = "zh"
    kiosk: bool = True
    forms: tuple[Form, ...] = ()
    """The operator's forms, beside and before the station's own (runtime/fields/forms.json)."""
    alerts: tuple[AlertRule, ...] = ()
    """The operator's alert rules, beside the station's own (runtime/alerts/rules.json) or in their place."""
    limits: Limits = Limits()
    session_folder: Path | None = None
    """On tmpfs: what the clerk has in hand is kept there, so that it outlives the gateway. None: it does not."""
    jobs: JobsConfig = JobsConfig()
    auth: AuthConfig = AuthConfig()
    selftest: SelfTestConfig = SelfTestConfig()
    rates: Rates = Rates()
    admin: AdminConfig = AdminConfig()
    forgetting: ForgettingConfig = ForgettingConfig()
    logs: Format = "text"
    """Lines of JSON for a machine that reads them, or text for a person at a terminal."""


def load(path: Path | None = None) -> StationConfig:
    """Read the configuration from `path`, else $INKSTICK_CONFIG, else /etc/inkstick/station.json.

    Raises OSError if it cannot be read and pydantic.ValidationError if it does not fit.
    """
    chosen = path or Path(os.environ.get("INKSTICK_CONFIG", DEFAULT_PATH))
    return StationConfig.model_validate_json(chosen.read_bytes())
