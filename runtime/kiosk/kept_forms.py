"""The clerk's own forms in the vault: there again once it is open, and out of sight once it is locked."""

from __future__ import annotations

import json
from dataclasses import asdict

from runtime.kiosk.own_forms import FormStore, OwnForm
from runtime.vault.kept_document import KeptDocument


def kept_forms(store: FormStore) -> KeptDocument:
    """For runtime.vault.vault.Vault. A form of this session takes the place of an older one of its name."""

    def dump() -> bytes:
        return json.dumps([asdict(form) for form in store.forms()], ensure_ascii=False).encode()

    def take_in(content: bytes) -> None:
        here = store.forms()
        names = {form.name for form in here}
        for each in json.loads(content):
            form = OwnForm(str(each["name"]), tuple(each["keys"]), str(each["prompt"]))
            if form.name not in names:
                store.keep(form)

    def clear() -> None:
        for form in store.forms():
            store.forget(form.name)

    return KeptDocument("forms.json", store.forms, dump, take_in, clear)
