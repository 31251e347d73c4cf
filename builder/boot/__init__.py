"""Boot files: kernel, initramfs, GRUB for BIOS and UEFI."""
