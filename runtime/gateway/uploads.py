"""Files and fields out of a multipart form."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.requests import Request

from runtime.gateway.job_service import Upload
from runtime.problems import FILE_TOO_LARGE, MISSING_FILE, Problem

_MOST_FIELDS = 16


@dataclass(frozen=True)
class Form:
    """`files`: the parts named `file`, at least one. `fields`: the parts that are no files."""

    files: tuple[Upload, ...]
    fields: dict[str, str]


async def read_form(request: Request, limit_bytes: int, *, most_files: int = 1) -> Form:
    """Raises Problem: MISSING_FILE, FILE_TOO_LARGE.

    The form is read here, not by parameters: FastAPI would turn the upload limit into its own 400.
    """
    async with request.form(max_files=most_files, max_fields=_MOST_FIELDS) as form:
        files = []
        for sent in form.getlist("file"):
            if not isinstance(sent, UploadFile):
                continue
            if sent.size is not None and sent.size > limit_bytes:
                raise Problem(FILE_TOO_LARGE, f"The limit is {limit_bytes} bytes.")
            files.append(Upload(_storable(sent.filename or ""), await sent.read()))
        if not files:
            raise Problem(MISSING_FILE, "Send a multipart form whose part `file` is the image.")
        return Form(tuple(files), {name: value for name, value in form.items() if isinstance(value, str)})


def _storable(name: str) -> str:
    """A name that any encoding of Unicode can hold: exotic charsets let half characters through."""
    return name.encode("utf-8", "replace").decode("utf-8")
