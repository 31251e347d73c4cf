"""Facts are read from the kernel's own files; here a folder stands for them, and the programs are answered for."""

from __future__ import annotations

from pathlib import Path

from runtime.hardware.facts import Card, Gpu, gather, nvidia_cards, run_program

MODEL = Path("/usr/lib/inkstick/model")


def put(root: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())


def machine(root: Path, more: dict[str, str | bytes] | None = None) -> None:
    """A PC with a graphics chip of the board, an RTX 4090 D with its sound device, and 32 GB."""
    devices = {
        "0000:00:02.0": ("0x8086", "0x4680", "0x030000"),
        "0000:01:00.0": ("0x10de", "0x2685", "0x030000"),
        "0000:01:00.1": ("0x10de", "0x22ba", "0x040300"),
    }
    for address, (vendor, device, kind) in devices.items():
        folder = f"sys/bus/pci/devices/{address}"
        put(root, {f"{folder}/vendor": vendor, f"{folder}/device": device, f"{folder}/class": kind})
    put(root, {"proc/meminfo": "MemTotal:       32768000 kB\nMemFree:  1 kB\n", **(more or {})})


class Programs:
    """Answers for programs, and remembers what was called."""

    def __init__(self, **answers: tuple[int, str]) -> None:
        self.answers = answers
        self.called: list[tuple[str, ...]] = []

    def __call__(self, argv: tuple[str, ...]) -> tuple[int, str]:
        self.called.append(argv)
        return self.answers.get(argv[0].replace("-", "_"), (0, ""))


def test_a_cards_sound_device_and_other_makers_chips_are_no_cards(tmp_path: Path) -> None:
    machine(tmp_path)
    assert list(nvidia_cards(tmp_path)) == [Card("0000:01:00.0", "2685")]


def test_a_card_at_work_is_asked_for_its_memory(tmp_path: Path) -> None:
    machine(
        tmp_path,
        {
            "sys/module/nvidia/version": "550.163.01\n",
            "usr/lib/x86_64-linux-gnu/nvidia/current/libcuda.so.550.163.01": "",
            "usr/share/inkstick/driver/supported.ids": "2684\n2685\n",
            "usr/lib/inkstick/model/model-00001.safetensors": "x",
            "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": b"\x06\0\0\0\x01",
        },
    )
    programs = Programs(nvidia_smi=(0, "NVIDIA GeForce RTX 4090 D, 24564, 8.9, GPU-0a\n"), dmesg=(0, "usb: hello"))
    facts = gather(tmp_path, MODEL, programs)
    assert facts.gpus == (Gpu("NVIDIA GeForce RTX 4090 D", 24564 * 1024 * 1024, 89, "GPU-0a"),)
    assert (facts.module_version, facts.library_version) == ("550.163.01", "550.163.01")
    assert facts.supported == {"2684", "2685"} and facts.has_model and facts.secure_boot is True
    assert facts.ram_bytes == 32_768_000 * 1024 and facts.kernel_log == ()
    assert ("modprobe", "nvidia-uvm") in programs.called and ("nvidia-modprobe", "-c0", "-u") in programs.called


def test_a_refused_module_is_told_in_modprobes_words(tmp_path: Path) -> None:
    machine(tmp_path)
    programs = Programs(
        modprobe=(1, "modprobe: ERROR: could not insert 'nvidia': Key was rejected by service"),
        dmesg=(
            0,
            "usb: hello\nLoading of module with unavailable key is rejected\nnvidia: module verification failed",
        ),
    )
    facts = gather(tmp_path, MODEL, programs)
    assert "Key was rejected" in facts.refusal and facts.module_version is None and facts.gpus == ()
    assert facts.kernel_log == ("nvidia: module verification failed",)
    assert [argv for argv in programs.called if argv[0] == "nvidia-smi"] == [], "there is no driver to ask"


def test_without_a_card_no_program_is_started(tmp_path: Path) -> None:
    put(tmp_path, {"proc/meminfo": "MemTotal: 4000000 kB\n"})
    programs = Programs()
    facts = gather(tmp_path, MODEL, programs)
    assert facts.cards == () and facts.secure_boot is None and programs.called == []


def test_words_instead_of_figures_are_kept_as_the_error(tmp_path: Path) -> None:
    machine(tmp_path, {"sys/module/nvidia/version": "550.163.01"})
    facts = gather(tmp_path, MODEL, Programs(nvidia_smi=(0, "No devices were found")))
    assert facts.gpus == () and facts.query_error == "No devices were found"


def test_this_machine_can_be_looked_at() -> None:
    facts = gather(Path("/"), MODEL, Programs())
    assert facts.ram_bytes > 100_000_000


def test_a_program_that_is_not_there_has_failed() -> None:
    code, said = run_program(("inkstick-no-such-program",))
    assert code == 127 and "inkstick-no-such-program" in said
