"""The schema of a profile. Unknown keys are errors: a typing mistake must not build a wrong stick."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from builder.profile import printing as printers
from builder.profile.alerts import Alert
from builder.profile.cuts import Cut
from builder.profile.forms import FormRules
from builder.profile.graphics import Driver, Weights
from builder.profile.strict import FilePath, Name, Strict

Port = Annotated[int, Field(ge=1, le=65535)]
LayerName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,13}$")]
"""At most 14 characters: with 16 digits of its root hash, a layer's file stays under 40."""

TESSERACT_LANGUAGES: dict[str, str] = json.loads(Path(__file__).with_name("languages.json").read_text())
"""ISO 639 codes of languages in scripts that PP-OCRv6 lacks, to Tesseract's names of their data."""


def _known_language(code: str) -> str:
    if code not in TESSERACT_LANGUAGES:
        near = [known for known, data in TESSERACT_LANGUAGES.items() if data == code]
        near = near or difflib.get_close_matches(code, TESSERACT_LANGUAGES, n=1, cutoff=0.3)
        told = f"did you mean '{near[0]}'? " if near else ""
        raise ValueError(f"there is no such language; {told}there are {', '.join(sorted(TESSERACT_LANGUAGES))}")
    return code


Language = Annotated[str, AfterValidator(_known_language)]


def _known_zone(name: str) -> str:
    known = available_timezones()  # empty on a machine without tzdata, which cannot tell
    if known and name not in known:
        near = difflib.get_close_matches(name, sorted(known), n=1)
        raise ValueError(f"there is no such time zone; the nearest is '{next(iter(near), 'Asia/Shanghai')}'")
    return name

MODEL_FOLDER = "/usr/lib/inkstick/model"


class Debian(Strict):
    """Packages of the `base` layer, in named groups so that a child profile can change one group.

    `boot_packages` are unpacked for GRUB and shim, and are not on the station.
    """

    suite: Literal["trixie"] = "trixie"
    packages: dict[str, list[Name]]
    boot_packages: list[Name]


WebAddress = Annotated[str, Field(pattern=r"^https?://\S+$")]
Address = Annotated[str, Field(pattern=r"^(https?|file)://\S+$")]


class Mirrors(Strict):
    """Where inputs are fetched from; None: where this machine's own settings say (builder/inputs/mirrors.py).

    `wheels` is a simple index (PEP 503), `models` the hub that the model's kind of repository is taken from. The
    environment comes before each. Locks and sticks do not tell of them: any mirror serves the same files.
    """

    debian: Address | None = None
    debian_security: Address | None = None
    wheels: WebAddress | None = None
    models: WebAddress | None = None


class LeftOut(Strict):
    """Projects whose wheels are not taken, though something asks for them, under a name."""

    reason: str
    projects: list[Name]


class Python(Strict):
    """Wheels, as requirement files relative to the project's root.

    `layers` parts them: a wheel goes to the first layer one of whose globs matches its project,
    else to layer `python`. All of these share one folder on the station. `overlays` are further
    requirement files, each resolved by itself, for a folder and a layer of its own name that goes
    before the shared one: only wheels that differ from the shared ones are in it. A child profile
    that needs none of a parent's says null.
    """

    version: Literal["3.13"] = "3.13"
    requirements: FilePath
    overrides: FilePath | None = None
    layers: dict[LayerName, list[str]] = {}
    overlays: dict[LayerName, FilePath | None] = {}
    left_out: dict[str, LeftOut] = {}

    @property
    def own_sites(self) -> dict[str, Path]:
        """Overlays by name, with their requirement files."""
        return {name: file for name, file in self.overlays.items() if file is not None}


class Cuts(Strict):
    """What each layer leaves out. `base` holds for `driver` too, which lies on it."""

    base: dict[str, Cut] = {}
    python: dict[str, Cut] = {}
    driver: dict[str, Cut] = {}


class Needs(Strict):
    """What an engine asks of the machine; runtime/hardware looks, and says what is missing.

    `capability`: the card's least, 80 for sm_80. Memory in gigabytes (10^9), of the card and of the machine.
    """

    card: bool = False
    capability: Annotated[int, Field(ge=0)] = 0
    vram_gb: Annotated[float, Field(ge=0)] = 0
    ram_gb: Annotated[float, Field(ge=0)] = 0


Engine = Literal["rapidocr", "vllm", "transformers"]


class Limits(Strict):
    """See runtime/config.py, which reads them on the station."""

    upload_bytes: Annotated[int, Field(gt=0)] = 64 * 1024 * 1024
    page_pixels: Annotated[int, Field(gt=0)] = 64_000_000
    queue_jobs: Annotated[int, Field(gt=0)] = 500
    queue_pages: Annotated[int, Field(gt=0)] = 500
    queue_pixels: Annotated[int, Field(gt=0)] = 8_000_000_000
    queue_bytes: Annotated[int, Field(gt=0)] = 512 * 1024 * 1024
    request_timeout_s: Annotated[int, Field(gt=0)] = 600


Rate = Annotated[str, Field(pattern=r"^[1-9]\d*/(second|minute|hour|day)$")]


class Rates(Strict):
    """How often one caller may call; null: as often as it likes. `work`: what is sent to be read."""

    work: Rate | None = "1200/minute"
    calls: Rate | None = "6000/minute"


class Tokens(Strict):
    """Tokens (JWT) of the operator's own service. `key`: a file on the station; `public_key`: PEM text.

    See runtime/config.py for the rest.
    """

    algorithm: Literal["HS256", "EdDSA"]
    key: Annotated[str, Field(pattern="^/")] | None = None
    public_key: str | None = None
    issuer: Annotated[str, Field(min_length=1)]
    audience: Annotated[str, Field(min_length=1)] = "inkstick"
    skew_s: Annotated[int, Field(ge=0)] = 900
    longest_s: Annotated[int, Field(gt=0)] = 86_400
    single_use: bool = False

    @model_validator(mode="after")
    def _has_one_key(self) -> Tokens:
        if (self.key is None) == (self.public_key is None):
            raise ValueError("tokens want either key, a file on the station, or public_key")
        if self.public_key is not None and self.algorithm != "EdDSA":
            raise ValueError("public_key goes with EdDSA; a secret lies in a file, never on the stick")
        return self


class Api(Strict):
    """The REST interface. `auth: required`: every call wants a key, or a token where there are `tokens`."""

    auth: Literal["open", "required"] = "open"
    tokens: Tokens | None = None
    rates: Rates = Rates()


class Admin(Strict):
    """The admin page. `pin_hash`: of its PIN, made by `python3 -m runtime.admin.pin`; without one the first
    visitor chooses a PIN that lasts until the station is switched off. `session_s`: see runtime/config.py.
    `zone`: the time zone of each start, "" for UTC; the page can choose another until the power is off."""

    pin_hash: (
        Annotated[
            str,
            Field(pattern=r"^scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9_-]{16,})\$([A-Za-z0-9_-]{32,})$"),
        ]
        | None
    ) = None
    session_s: Annotated[int, Field(gt=0)] = 600
    zone: Annotated[str, AfterValidator(lambda name: name and _known_zone(name))] = ""


class Forgetting(Strict):
    """After `idle_s` without a touch what was read and saved is forgotten, the last `warn_s` of them counted down
    on the screen; null: never."""

    idle_s: Annotated[int, Field(gt=0)] | None = 900
    warn_s: Annotated[int, Field(gt=0)] = 60

    @model_validator(mode="after")
    def _warns_in_time(self) -> Forgetting:
        if self.idle_s is not None and self.warn_s >= self.idle_s:
            raise ValueError("warn_s must be less than idle_s")
        return self


GrubPassword = Annotated[str, Field(pattern=r"^grub\.pbkdf2\.sha512\.\d+\.[0-9A-F]+\.[0-9A-F]{128}$")]


class Boot(Strict):
    """`password_pbkdf2`: what grub-mkpasswd-pbkdf2 prints, for user `inkstick`; without one nobody can change an
    entry of the boot menu or open GRUB's command line.
    """

    password_pbkdf2: GrubPassword | None = None


class Squashfs(Strict):
    """`level` is zstd's: higher is smaller and slower to build; reading costs the same."""

    level: Annotated[int, Field(ge=1, le=22)] = 9


class Profile(Strict):
    """A profile, after `extends:` has been followed. `lock`: profiles that lock the same share one.

    `languages`: those in scripts that PP-OCRv6 lacks, which Tesseract reads for the engine `rapidocr`;
    with none of them it can still name such a script, and null leaves Tesseract out. `forms`: the
    operator's own; one with the name of a built-in form replaces it. `printing`: the page prints, by CUPS, on
    printers on USB that need no driver.
    """

    name: Name
    title: str
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    volume_id: Annotated[str, Field(pattern=r"^[A-Z0-9_]{1,11}$")]
    lock: Name | None = None
    debian: Debian
    mirrors: Mirrors = Mirrors()
    python: Python
    driver: Driver | None = None
    model: Weights | None = None
    engines: Annotated[list[Engine], Field(min_length=1)]
    needs: dict[Engine, Needs] = {}
    ui_port: Port = 7860
    api_port: Port = 8000
    language: Literal["zh", "en"] = "zh"
    printing: bool = False
    languages: list[Language] | None = None
    forms: list[FormRules] = []
    api: Api = Api()
    limits: Limits = Limits()
    alerts: list[Alert] = []
    admin: Admin = Admin()
    forgetting: Forgetting = Forgetting()
    boot: Boot = Boot()
    squashfs: Squashfs = Squashfs()
    cuts: Cuts = Cuts()
    kernel_arguments: list[str] = []

    @property
    def packages(self) -> list[str]:
        """All packages of the base layer, by name."""
        named = {name for group in self.debian.packages.values() for name in group}
        return sorted(named | set(self.tesseract_packages) | set(printers.PACKAGES if self.printing else ()))

    @property
    def base_cuts(self) -> dict[str, Cut]:
        """What the base layer leaves out, by name."""
        return printers.kept(self.cuts.base) if self.printing else self.cuts.base

    @property
    def tesseract_languages(self) -> list[str] | None:
        """The languages as Tesseract names their data; None where it is left out."""
        if self.languages is None or "rapidocr" not in self.engines:
            return None
        return [TESSERACT_LANGUAGES[code] for code in dict.fromkeys(self.languages)]

    @property
    def tesseract_packages(self) -> list[str]:
        """Debian's packages of Tesseract and of its data."""
        if self.tesseract_languages is None:
            return []
        return ["tesseract-ocr", "tesseract-ocr-osd", *(f"tesseract-ocr-{name}" for name in self.tesseract_languages)]

    @property
    def told_forms(self) -> list[dict[str, object]]:
        """`forms` for the station's configuration."""
        return [form.model_dump(mode="json", exclude_defaults=True) for form in self.forms]

    @property
    def engine_models(self) -> dict[str, dict[str, object]]:
        """What engines that run the model are told of it, by engine; in the words of runtime/config.py."""
        if self.model is None:
            return {}
        serving = self.model.serving
        both = {"folder": MODEL_FOLDER, "generation": serving.generation, "context": serving.context}
        vllm = {
            "gpu_memory_utilization": serving.gpu_memory_utilization,
            "attention_backend": serving.attention_backend,
            "safetensors_load_strategy": "prefetch",
            "draft": f"{MODEL_FOLDER}/{serving.draft}" if serving.draft else None,
        }
        told: dict[str, dict[str, object]] = {"vllm": {**both, **vllm}, "transformers": {**both}}
        return {name: told[name] for name in self.engines if name in told}

    @property
    def engine_needs(self) -> dict[str, dict[str, object]]:
        """What each engine asks of the machine, in the words of runtime/config.py."""
        return {
            name: {
                "card": needs.card,
                "capability": needs.capability,
                "vram_bytes": round(needs.vram_gb * 1e9),
                "ram_bytes": round(needs.ram_gb * 1e9),
                "model": name in self.engine_models,
            }
            for name, needs in self.needs.items()
            if name in self.engines
        }

    @property
    def file_stem(self) -> str:
        """How the ISO and what lies beside it are called; random weights show in it."""
        mark = "-synthetic" if self.model and self.model.synthetic else ""
        return f"inkstick-{self.name}-{self.version}{mark}"
