"""Profiles: what is accepted, and what each mistake is answered with."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import ProfileError
from builder.profile.load import PROFILES, available, load_profile

BASE = """\
title: Base
version: 1.0.0
volume_id: BASE
engines: [rapidocr]
debian:
  packages:
    system: [systemd]
    display: [xserver-xorg-core]
  boot_packages: [grub-pc-bin]
python:
  requirements: runtime/requirements.in
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE)
    return tmp_path


def child(folder: Path, text: str) -> None:
    (folder / "child.yaml").write_text(f"extends: base\n{text}")


def failure(folder: Path, name: str = "child") -> ProfileError:
    with pytest.raises(ProfileError) as caught:
        load_profile(name, folder)
    return caught.value


@pytest.mark.parametrize("name", available())
def test_every_profile_that_ships_is_valid(name: str) -> None:
    assert load_profile(name).name == name


def test_a_child_changes_one_group_and_keeps_the_others(folder: Path) -> None:
    child(folder, "debian:\n  packages:\n    display: []\n")
    assert load_profile("child", folder).packages == ["systemd"]


def test_a_child_names_its_own_mirrors_and_keeps_its_parents(folder: Path) -> None:
    (folder / "base.yaml").write_text(f"{BASE}mirrors:\n  debian: http://near.example/debian\n")
    child(folder, "mirrors:\n  wheels: https://own.example/simple\n")
    found = load_profile("child", folder).mirrors
    assert (found.debian, found.wheels) == ("http://near.example/debian", "https://own.example/simple")


@pytest.mark.parametrize("address", ["mirror.example/debian", "ftp://mirror.example", "http://a b"])
def test_what_is_no_address_is_refused_where_it_stands(folder: Path, address: str) -> None:
    child(folder, f"mirrors:\n  wheels: {address}\n")
    assert f"{folder}/child.yaml:3:" in failure(folder).message
    assert "'mirrors.wheels'" in failure(folder).message


def test_a_time_zone_that_nobody_knows_is_refused_with_the_nearest(folder: Path) -> None:
    child(folder, "admin: {zone: Asia/Shangai}\n")
    assert "no such time zone; the nearest is 'Asia/Shanghai', not 'Asia/Shangai'" in failure(folder).message
    child(folder, "admin: {zone: Asia/Shanghai}\n")
    assert load_profile("child", folder).admin.zone == "Asia/Shanghai"


def test_an_unknown_key_is_named_with_its_place_and_the_nearest_key(folder: Path) -> None:
    child(folder, "ui_prot: 7000\n")
    error = failure(folder)
    assert f"{folder}/child.yaml:2:1: unknown key 'ui_prot'" in error.message
    assert error.hint == "did you mean 'ui_port'?"


def test_an_unknown_nested_key_is_compared_with_its_neighbours(folder: Path) -> None:
    child(folder, "squashfs:\n  levle: 3\n")
    error = failure(folder)
    assert "child.yaml:3:3: unknown key 'squashfs.levle'" in error.message
    assert error.hint == "did you mean 'level'?"


def test_a_wrong_type_is_named_with_its_place(folder: Path) -> None:
    child(folder, 'ui_port: "7860"\n')
    assert "child.yaml:2:1: 'ui_port': input should be a valid integer, not '7860'" in failure(folder).message


def test_a_mistake_inherited_from_the_parent_is_placed_in_the_parent(folder: Path) -> None:
    (folder / "base.yaml").write_text(BASE.replace("version: 1.0.0", "version: one"))
    child(folder, "title: Child\n")
    assert f"{folder}/base.yaml:2:1: 'version'" in failure(folder).message


def test_a_missing_profile_lists_what_there_is(folder: Path) -> None:
    error = failure(folder, "bsae")
    assert "there is no profile 'bsae'" in error.message
    assert "did you mean 'base'?" in error.hint


def test_a_missing_parent_is_named_where_it_is_asked_for(folder: Path) -> None:
    (folder / "child.yaml").write_text("extends: bas\n")
    error = failure(folder)
    assert "child.yaml:1:1: there is no profile 'bas' to extend" in error.message
    assert error.hint == "did you mean 'base'?"


def test_a_circle_of_parents_is_shown_whole(folder: Path) -> None:
    (folder / "a.yaml").write_text("extends: b\n")
    (folder / "b.yaml").write_text("extends: a\n")
    assert "in a circle: a -> b -> a" in failure(folder, "a").message


def test_a_missing_file_that_the_profile_names_is_found_at_once(folder: Path) -> None:
    child(folder, "python:\n  requirements: runtime/nothing.in\n")
    assert "child.yaml:3:3: file 'runtime/nothing.in' does not exist" in failure(folder).message


def test_a_key_given_twice_is_an_error(folder: Path) -> None:
    child(folder, "title: One\ntitle: Two\n")
    assert "child.yaml:3:1: key 'title' is given twice (first in line 2)" in failure(folder).message


def test_broken_yaml_is_placed(folder: Path) -> None:
    child(folder, "title: [open\n")
    assert "not valid YAML" in failure(folder).message


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    child(folder, "ui_prot: 1\napi_port: 99999\n")
    assert len(failure(folder).message.splitlines()) == 2


def test_what_ships_extends_the_station_profile() -> None:
    assert (PROFILES / "_station.yaml").is_file() and "_station" not in available()


FORM = """\
forms:
  - name: slip
    fields:
      - key: amount
        checks: [{check}]
        {extra}
"""


def test_a_misspelt_key_of_a_form_is_placed_and_its_neighbour_named(folder: Path) -> None:
    child(folder, FORM.format(check="amount", extra="lable: [sum]"))
    error = failure(folder)
    assert "child.yaml:7:9: unknown key 'forms.0.fields.0.lable'" in error.message
    assert error.hint == "did you mean 'labels'?"


def test_a_check_that_does_not_exist_is_placed_and_the_nearest_named(folder: Path) -> None:
    child(folder, FORM.format(check="amuont", extra=""))
    error = failure(folder)
    assert "child.yaml:6:18: 'forms.0.fields.0.checks.0'" in error.message and "not 'amuont'" in error.message
    assert error.hint == "did you mean 'amount'?"


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ("pattern: '['", "not a regular expression"),
        ("anywhere: true", "a field found anywhere needs a pattern"),
        ("lines: 0", "greater than 0"),
        ("hint: 7", "valid string"),
    ],
)
def test_what_a_field_cannot_be_is_told_with_its_place(folder: Path, extra: str, told: str) -> None:
    child(folder, FORM.format(check="amount", extra=extra))
    message = failure(folder).message
    assert told in message and f"{folder}/child.yaml:" in message


def test_an_agreement_over_fields_that_the_form_lacks_is_refused(folder: Path) -> None:
    child(
        folder,
        FORM.format(check="amount", extra="").rstrip() + "\n    agreements: [{kind: sum, fields: [amount, tax]}]\n",
    )
    assert "fields that the form lacks: tax" in failure(folder).message


def test_a_language_that_does_not_exist_is_placed_and_the_others_listed(folder: Path) -> None:
    child(folder, "languages: [ko, kor]\n")
    message = failure(folder).message
    assert "child.yaml:2:17: 'languages.1'" in message and "did you mean 'ko'?" in message
