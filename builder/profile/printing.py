"""What a station that prints has besides: CUPS with its filters for printers that need no driver."""

from __future__ import annotations

from builder.profile.cuts import Cut

PACKAGES = ("cups", "cups-ipp-utils")
"""`cups` for its raster filter, which most printers want; what else it brings is cut."""

_LIBRARIES = "usr/lib/x86_64-linux-gnu"
KEPT = {
    "libraries-of-cut-scanners": ("libpoppler*", "libexif.so*", "libcurl-gnutls.so*", "libngtcp2*"),
    "gnupg": ("libgpgme*", "libassuan.so*"),
}
"""Libraries of Poppler, which makes pixels, by the rules that leave them out elsewhere."""

CUT = Cut(
    reason="printers of makers, PostScript and networks; CUPS's web pages; keys made where the package was installed",
    paths=[
        "etc/cups",
        "etc/ssl/private/*",
        "etc/ssl/certs/ssl-cert-snakeoil.pem",
        "usr/bin/foomatic-rip",
        "usr/bin/gs*",
        "usr/bin/ppdc",
        "usr/lib/cups/backend/*",
        "!usr/lib/cups/backend/ipp",
        "usr/lib/cups/backend-available",
        "usr/lib/cups/cgi-bin",
        "usr/lib/cups/driver",
        "usr/lib/cups/monitor",
        "usr/lib/cups/notifier",
        "usr/lib/cups/filter/*",
        "!usr/lib/cups/filter/gziptoany",
        "!usr/lib/cups/filter/pdftopdf",
        "!usr/lib/cups/filter/pdftoraster",
        "!usr/lib/cups/filter/rastertopwg",
        "usr/share/cups/data",
        "usr/share/cups/doc-root",
        "usr/share/cups/drv",
        "usr/share/cups/examples",
        "usr/share/cups/mime/*.convs",
        "usr/share/cups/model",
        "usr/share/cups/ppdc",
        "usr/share/cups/templates",
        "usr/share/ghostscript",
        "usr/share/poppler",
        "var/lib/ghostscript",
        "usr/share/color/icc/ghostscript",
        "usr/share/fonts/*/urw-base35",
        "usr/share/fonts/X11/Type1",
        "usr/share/ppd",
        f"{_LIBRARIES}/libgs.so*",
        f"{_LIBRARIES}/libijs*",
        f"{_LIBRARIES}/libjbig2dec.so*",
        f"{_LIBRARIES}/libcupsppdc*",
        "usr/share/fonts/truetype/urw-base35",
    ],
)


def kept(cuts: dict[str, Cut]) -> dict[str, Cut]:
    """`cuts` without what printing needs, and with its own."""
    changed = {
        name: cuts[name].model_copy(update={"paths": [*cuts[name].paths, *(f"!{_LIBRARIES}/{each}" for each in kept)]})
        for name, kept in KEPT.items()
        if name in cuts
    }
    return {**cuts, **changed, "printing-elsewhere": CUT}
