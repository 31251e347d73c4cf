"""A driverless scanner on loopback, as ipp-usb offers one: eSCL, flatbed and feeder, with faults on demand."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

_NAMES = 'xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm" xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03"'
_WIDTH, _HEIGHT = 2550, 3508
"""Of its glass, in 300ths of an inch: 216 by 297 mm."""
_INPUT = f"""
<scan:MinWidth>16</scan:MinWidth><scan:MaxWidth>{_WIDTH}</scan:MaxWidth>
<scan:MinHeight>16</scan:MinHeight><scan:MaxHeight>{_HEIGHT}</scan:MaxHeight>
<scan:MaxScanRegions>1</scan:MaxScanRegions>
<scan:SettingProfiles><scan:SettingProfile>
<scan:ColorModes><scan:ColorMode>Grayscale8</scan:ColorMode><scan:ColorMode>RGB24</scan:ColorMode></scan:ColorModes>
<scan:DocumentFormats><pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat></scan:DocumentFormats>
<scan:SupportedResolutions><scan:DiscreteResolutions>
<scan:DiscreteResolution><scan:XResolution>150</scan:XResolution><scan:YResolution>150</scan:YResolution>
</scan:DiscreteResolution>
<scan:DiscreteResolution><scan:XResolution>300</scan:XResolution><scan:YResolution>300</scan:YResolution>
</scan:DiscreteResolution>
</scan:DiscreteResolutions></scan:SupportedResolutions>
</scan:SettingProfile></scan:SettingProfiles>
<scan:SupportedIntents><scan:Intent>Document</scan:Intent></scan:SupportedIntents>
"""
_CAPABILITIES = f"""<?xml version="1.0" encoding="UTF-8"?>
<scan:ScannerCapabilities {_NAMES}>
<pwg:Version>2.63</pwg:Version><pwg:MakeAndModel>Inkstick Trial 1000</pwg:MakeAndModel>
<scan:UUID>4509a320-00a0-008f-00b6-002507510eca</scan:UUID>
<scan:Platen><scan:PlatenInputCaps>{_INPUT}</scan:PlatenInputCaps></scan:Platen>
<scan:Adf><scan:AdfSimplexInputCaps>{_INPUT}</scan:AdfSimplexInputCaps><scan:FeederCapacity>35</scan:FeederCapacity>
<scan:AdfOptions><scan:AdfOption>DetectPaperLoaded</scan:AdfOption></scan:AdfOptions></scan:Adf>
</scan:ScannerCapabilities>"""


@dataclass
class Scanner:
    """`glass` lies on the flatbed, `feeder` in the feeder; `adf_state`: eSCL's word when all is not well."""

    port: int
    glass: Image.Image
    feeder: list[Image.Image] = field(default_factory=list)
    adf_state: str = ""
    jobs: list[str] = field(default_factory=list)
    """The settings that were asked for, XML."""
    paths: list[str] = field(default_factory=list)


class EsclScanner:
    """`with EsclScanner(glass) as scanner:` answers on `scanner.port` until the end of the block."""

    def __init__(self, glass: Image.Image, port: int = 0) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
        self.scanner = Scanner(int(self._server.server_address[1]), glass)
        self._server.scanner = self.scanner  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Scanner:
        self._thread.start()
        return self.scanner

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    _pages: dict[str, list[Image.Image]] = {}  # noqa: RUF012

    @property
    def _scanner(self) -> Scanner:
        scanner: Scanner = self.server.scanner  # type: ignore[attr-defined]
        return scanner

    def do_GET(self) -> None:
        self._scanner.paths.append(self.path)
        if self.path == "/eSCL/ScannerCapabilities":
            self._answer(200, _CAPABILITIES.encode(), "text/xml")
        elif self.path == "/eSCL/ScannerStatus":
            self._answer(200, self._status().encode(), "text/xml")
        elif self.path.endswith("/NextDocument"):
            self._next_document(self.path.split("/")[-2])
        else:
            self._answer(404)

    def do_POST(self) -> None:
        settings = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        scanner = self._scanner
        from_feeder = "Feeder" in settings
        if from_feeder and (scanner.adf_state or not scanner.feeder):
            self._answer(409)
            return
        scanner.jobs.append(settings)
        number = f"{scanner.port}-{len(scanner.jobs)}"
        self._pages[number] = scanner.feeder if from_feeder else [scanner.glass]
        self._answer(201, headers={"Location": f"/eSCL/ScanJobs/{number}"})

    def do_DELETE(self) -> None:
        self._pages.pop(self.path.rsplit("/", 1)[-1], None)
        self._answer(200)

    def _next_document(self, number: str) -> None:
        waiting = self._pages.get(number, [])
        if not waiting or (self._scanner.adf_state and waiting is self._scanner.feeder):
            self._answer(404)
            return
        self._answer(200, _jpeg(waiting.pop(0)), "image/jpeg")

    def _status(self) -> str:
        adf = self._scanner.adf_state or ("ScannerAdfLoaded" if self._scanner.feeder else "ScannerAdfEmpty")
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><scan:ScannerStatus {_NAMES}><pwg:Version>2.63</pwg:Version>'
            f"<pwg:State>Idle</pwg:State><scan:AdfState>{adf}</scan:AdfState></scan:ScannerStatus>"
        )

    def _answer(
        self, code: int, body: bytes = b"", kind: str = "text/plain", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def _jpeg(page: Image.Image) -> bytes:
    held = io.BytesIO()
    page.convert("RGB").save(held, "JPEG", quality=90, dpi=(150, 150))
    return held.getvalue()


def on_glass(page: Image.Image, dots_per_inch: int = 150) -> Image.Image:
    """A page laid at the corner of the glass."""
    glass = Image.new("RGB", (_WIDTH * dots_per_inch // 300, _HEIGHT * dots_per_inch // 300), "white")
    glass.paste(page, (20, 20))
    return glass
