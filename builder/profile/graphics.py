"""The parts of a profile that only a station with a graphics card has: its driver, and the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from builder.profile.strict import FilePath, Name, Sha256, Strict

SOURCES = {"proprietary": "nvidia-kernel-dkms", "open": "nvidia-open-kernel-dkms"}
_SUPPORT = {"nvidia-kernel-support": "nvidia-open-kernel-support"}
"""Settings that lead from NVIDIA's names of the modules to Debian's, which the open ones have others of."""


class Driver(Strict):
    """NVIDIA's driver: Debian's packages, or with `runfile` NVIDIA's own installer.

    `packages` ship; `build_packages` make the modules and never ship. `runfile` needs `version`;
    its `sha256` may be left to the lock. With a `signing_key` (PEM, unencrypted) and its
    `certificate` (DER) the modules are signed by the operator, else by a key that is thrown away.
    `machine_code`: the card's compute capability as in sm_89; `libraries`: globs of the shared
    libraries that must hold machine code for it.
    """

    flavour: Literal["proprietary", "open"] = "proprietary"
    packages: list[Name] = []
    build_packages: list[Name] = []
    runfile: FilePath | None = None
    sha256: Sha256 | None = None
    version: Annotated[str, Field(pattern=r"^\d+\.\d+(\.\d+)?$")] | None = None
    signing_key: FilePath | None = None
    certificate: FilePath | None = None
    machine_code: Annotated[int, Field(ge=50, le=150)] | None = None
    libraries: list[str] = []

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.signing_key is None) != (self.certificate is None):
            raise ValueError("signing_key and certificate go together")
        if self.runfile is not None and self.version is None:
            raise ValueError("a runfile needs its version beside it")
        return self

    @property
    def shipped_packages(self) -> list[str]:
        """`packages`, with those in place that belong to the open modules where these are chosen."""
        if self.flavour == "proprietary":
            return self.packages
        return [_SUPPORT.get(name, name) for name in self.packages]

    @property
    def source_package(self) -> str:
        """The Debian package that holds the modules' sources."""
        return SOURCES[self.flavour]


class Serving(Strict):
    """How the station runs the model: see runtime/config.py, which reads these. `draft`: a folder in the model's."""

    generation: Literal["1.0", "1.5"] = "1.0"
    context: Annotated[int, Field(gt=0)] = 16384
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] = 0.78
    attention_backend: str | None = "FLASH_ATTN"
    draft: str | None = None


class Encryption(Strict):
    """The model layer is encrypted with the passphrase that `passphrase_file` holds in one line.

    It is typed at every start of the station, on a keyboard of unknown layout: printable ASCII.
    """

    passphrase_file: FilePath


class Weights(Strict):
    """The model: a local `folder`, a repository of a hub at a `commit`, or a `synthetic` stand-in.

    `licence` names a folder of licences/; `files` are globs of what is taken, those without a slash
    of the top folder alone. Without a `commit` the first lock takes the newest one and pins it: a
    hub's branch is no source, repositories have changed the model under their users. `encrypted`:
    for private weights.
    """

    title: str
    licence: Name
    folder: FilePath | None = None
    huggingface: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
    modelscope: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
    synthetic: bool = False
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{8,40}$")] | None = None
    serving: Serving = Serving()
    encrypted: Encryption | None = None
    files: list[str] = ["*.safetensors", "*.json", "*.jinja", "*.txt", "LICENSE*", "NOTICE*", "Notice*"]

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("folder", "huggingface", "modelscope", "synthetic") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(f"one of folder, huggingface, modelscope, synthetic; here: {', '.join(given) or 'none'}")
        return self

    @property
    def origin(self) -> str:
        """Where the files come from, without any path of this machine."""
        if self.synthetic:
            return "synthetic"
        if self.folder is not None:
            return "local folder"
        return f"{'huggingface' if self.huggingface else 'modelscope'} {self.huggingface or self.modelscope}"

    def instead(self, choice: str) -> Weights:
        """The same model from elsewhere: "synthetic", or a local folder."""
        elsewhere = {"synthetic": True} if choice == "synthetic" else {"folder": Path(choice).absolute()}
        kept = {name: getattr(self, name) for name in ("title", "licence", "files", "serving", "encrypted")}
        return Weights.model_validate({**kept, **elsewhere})
