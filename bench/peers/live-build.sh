#!/bin/sh
# live-build's minimal image in a trixie chroot: BIOS and UEFI, zstd, no installer, no recommended packages.
#
#   sh bench/peers/live-build.sh FOLDER prepare|build [MIRROR]
#
# `prepare` makes the chroot in FOLDER once (mmdebstrap). `build` is what is measured: FOLDER/trixie/work/*.iso.
# As root; MIRROR as for mmdebstrap. All mounts are in a mount namespace that ends with the script.
set -eu

folder=$(realpath -m "$1")
what=$2
mirror=${3:-$(sed -n 's/^URIs: *\(.*debian\/*\) *$/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -n 1)}
chroot=$folder/trixie

if [ "${INKSTICK_PRIVATE:-}" != yes ]; then
    INKSTICK_PRIVATE=yes exec unshare --mount --fork --kill-child=KILL sh "$0" "$folder" "$what" "$mirror"
fi

prepare() {
    mkdir -p "$folder"
    mmdebstrap --quiet --include=live-build,ca-certificates,mount --variant=apt trixie "$chroot" "$mirror"
}

settle() {
    # The machine's own proxy, if apt needs one.
    for file in /etc/apt/apt.conf.d/*proxy*; do
        if [ -e "$file" ]; then cp "$file" "$chroot/etc/apt/apt.conf.d/"; fi
    done
    cp /etc/resolv.conf "$chroot/etc/resolv.conf"
    mount -t proc proc "$chroot/proc"
    mount -t sysfs sysfs "$chroot/sys"
    mount --bind /dev "$chroot/dev"
    mount -t devpts devpts "$chroot/dev/pts"
}

configure() {
    rm -rf "$chroot/work"
    mkdir "$chroot/work"
    chroot "$chroot" sh -c 'cd /work && lb config noauto "$@" >config.log 2>&1' sh \
        --distribution trixie --binary-images iso-hybrid --bootloaders grub-pc,grub-efi \
        --chroot-squashfs-compression-type zstd --apt-recommends false --apt-indices false \
        --firmware-chroot false --memtest none --debian-installer none --checksums sha256 \
        --security false --updates false \
        --mirror-bootstrap "$mirror" --mirror-chroot "$mirror" --mirror-binary "$mirror"
    mkdir -p "$chroot/work/config/package-lists"
    echo "linux-image-amd64 live-boot systemd systemd-sysv udev dbus" >"$chroot/work/config/package-lists/minimal.list.chroot"
}

if [ "$what" = prepare ]; then
    [ -d "$chroot/usr/share/live/build" ] || prepare
    exit 0
fi
settle
configure
chroot "$chroot" sh -c 'cd /work && lb build noauto >build.log 2>&1' || {
    tail -n 30 "$chroot/work/build.log" >&2
    exit 1
}
