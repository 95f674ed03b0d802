# shellcheck shell=bash
# Image recipes for `fleet`.  Sourced, never run.
#
# An image is a directory  $IMAGES/<name>-<hash>/  holding
#     layer/   its own files (for a base image: the whole root file system)
#     chain    the overlayfs lowerdir list, topmost first
# A recipe is three functions: image_<name>_parent, image_<name>_build, and
# image_<name>_meta, which tells `fleet` family=… init=… python=… repos=….
# Layers are cached as $CACHE/<name>-<hash>.tar.zst; the hash covers the recipe
# text of the image and of all its parents, so an edit rebuilds what it must.

# The mirror that this machine itself uses, as apt understands its own configuration
# (sources.list or deb822 files, commented lines and other suites left out).
mirror() {
    [ -z "${FLEET_MIRROR:-}" ] || { echo "$FLEET_MIRROR"; return; }
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
        awk '$3 == "main" && $2 ~ /^[a-z]+$/ && $1 ~ /\/debian\/?$/ { sub(/\/$/, "", $1); print $1; exit }'
}

# what `fleet build` makes when it is not told
# shellcheck disable=SC2034
DEFAULT_IMAGES="debian trixie dnf openrc busybox python trixiepy openrcpy tools"

# packages every Debian-like target has; note: NO python
BASE_PKGS=openssh-server,sudo,iproute2,procps,cron,acl,attr,dbus,ca-certificates,apt-utils,netbase,less,kmod

debstrap() { # debstrap SUITE TARGET PKG,PKG…
    local suite=$1 target=$2 pkgs=$3
    mmdebstrap --quiet --mode=root --variant=minbase --include="$pkgs" \
        --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        --aptopt='Acquire::Languages "none"' \
        "$suite" "$target" "$MIRROR"
}

# Make a Debian-like tree into a fleet target.  $1 = root, $2 = suite
seed_debian() {
    local r=$1
    rm -f "$r"/etc/ssh/ssh_host_* "$r"/var/lib/dbus/machine-id
    : > "$r/etc/machine-id"
    mkdir -p "$r/etc/ssh/sshd_config.d" "$r/srv/fleet" "$r/etc/apt/sources.list.d"
    cat > "$r/etc/ssh/sshd_config.d/fleet.conf" <<'EOF'
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin yes
PasswordAuthentication yes
UseDNS no
LoginGraceTime 30
MaxStartups 200:30:1000
MaxSessions 200
EOF
    seed_users "$r"
    # inside a host `apt-get update` sees only the local repositories ...
    printf 'deb [trusted=yes] file:/srv/fleet/%s ./\n' deb "$2" > "$r/etc/apt/sources.list.d/fleet.list"
    # ... the real mirror is used only while images and repositories are made
    # (@MIRROR@ is filled in at the time of use: an image names no machine's mirror)
    echo "deb @MIRROR@ $2 main" > "$r/etc/apt/mirror.list"
    : > "$r/etc/apt/sources.list"
    # no name server, and quick to find out
    rm -f "$r/etc/resolv.conf"; seed_resolv > "$r/etc/resolv.conf"
    echo 'Acquire::Languages "none";' > "$r/etc/apt/apt.conf.d/90fleet"
    echo 'LANG=C.UTF-8' > "$r/etc/default/locale"       # pam_env complains without it
    # never let package scripts start services during the image build
    rm -f "$r/usr/sbin/policy-rc.d"
    if [ -d "$r/lib/systemd/system" ]; then
        local u
        for u in console-getty.service getty@.service getty.target systemd-firstboot.service \
                 apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
                 e2scrub_reap.service fstrim.timer systemd-networkd-wait-online.service \
                 systemd-pstore.service sys-kernel-debug.mount sys-kernel-tracing.mount \
                 sys-kernel-config.mount sys-fs-fuse-connections.mount systemd-modules-load.service; do
            ln -sfn /dev/null "$r/etc/systemd/system/$u"
        done
        mkdir -p "$r/etc/systemd/journald.conf.d"
        printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=8M\n' > "$r/etc/systemd/journald.conf.d/fleet.conf"
    fi
}

seed_resolv() { printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n'; }

seed_users() { # root (key + password), admin (sudo, no password), ops (sudo with password), plain
    local r=$1
    chroot "$r" /bin/sh -eu <<'EOF'
for u in admin ops plain; do id -u $u >/dev/null 2>&1 || useradd -m -s /bin/sh $u; done
[ -x /bin/bash ] && usermod -s /bin/bash admin && usermod -s /bin/bash ops
printf 'root:root-pass\nadmin:admin-pass\nops:ops-pass\nplain:plain-pass\n' | chpasswd
if [ -d /etc/sudoers.d ]; then
    echo 'admin ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/admin
    echo 'ops ALL=(ALL:ALL) ALL'             > /etc/sudoers.d/ops
    chmod 440 /etc/sudoers.d/admin /etc/sudoers.d/ops
fi
EOF
}

# Run a shell snippet in a chroot that shares this machine's network (apt works).
in_chroot() { # in_chroot ROOT SNIPPET
    local r=$1 snippet=$2
    cp -f --remove-destination /etc/resolv.conf "$r/etc/resolv.conf"
    printf '#!/bin/sh\nexit 101\n' > "$r/usr/sbin/policy-rc.d"; chmod 755 "$r/usr/sbin/policy-rc.d"
    # a private mount namespace: nothing to unmount, whatever happens
    unshare --mount --pid --fork --kill-child sh -eu -c '
        mount --make-rprivate /
        mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; mount -t sysfs -o ro sysfs "$1/sys"
        mount -t tmpfs tmpfs "$1/run"
        mkdir -p "$1/run/lock"; sed "s#@MIRROR@#$MIRROR#" "$1/etc/apt/mirror.list" > "$1/run/mirror.list"
        exec chroot "$1" /usr/bin/env -i DEBIAN_FRONTEND=noninteractive LC_ALL=C HOME=/root \
             PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /bin/sh -eu -c "$2"
        ' sh "$r" "$snippet" </dev/null
    rm -f "$r/usr/sbin/policy-rc.d"
    seed_resolv > "$r/etc/resolv.conf"
}

# apt-get from the real mirror, inside in_chroot
APT_PRELUDE='
apt() { apt-get -qq -o Dir::Etc::sourcelist=/run/mirror.list -o Dir::Etc::sourceparts=- \
        -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Use-Pty=0 "$@"; }
aptin() { apt update; apt install -y --no-install-recommends "$@"; apt clean; rm -rf /var/lib/apt/lists/*; mkdir -p /var/lib/apt/lists/partial; }
'

# ---------------------------------------------------------------- base images
image_debian_parent() { :; }                      # Debian 12, systemd, no python
image_debian_meta() { echo "family=debian init=systemd python= repos=deb,bookworm"; }
image_debian_build() {
    debstrap bookworm "$1" "$BASE_PKGS,systemd,systemd-sysv,libpam-systemd"
    seed_debian "$1" bookworm
}

image_trixie_parent() { :; }                      # Debian 13, systemd 257
image_trixie_meta() { echo "family=debian init=systemd python= repos=deb,trixie"; }
image_trixie_build() {
    debstrap trixie "$1" "$BASE_PKGS,systemd,systemd-sysv,libpam-systemd"
    seed_debian "$1" trixie
}

image_sysvinit_parent() { :; }                    # Debian 12 without systemd
image_sysvinit_meta() { echo "family=debian init=sysvinit python= repos=deb,bookworm"; }
image_sysvinit_build() {
    debstrap bookworm "$1" "$BASE_PKGS,sysvinit-core,sysv-rc,initscripts,orphan-sysvinit-scripts"
    seed_debian "$1" bookworm
    seed_inittab "$1"
}
seed_inittab() { # no gettys: there is no terminal
    sed -i -E 's/^([0-9]+:.*getty)/#\1/' "$1/etc/inittab"
}

# ------------------------------------------------------------- derived images
# with python: what Ansible itself needs, for comparisons with it
image_python_parent() { echo debian; }
image_python_meta() { echo "family=debian init=systemd python=/usr/bin/python3 repos=deb,bookworm"; }
image_python_build() { in_chroot "$1" "$APT_PRELUDE aptin python3 python3-apt"; }

image_trixiepy_parent() { echo trixie; }
image_trixiepy_meta() { echo "family=debian init=systemd python=/usr/bin/python3 repos=deb,trixie"; }
image_trixiepy_build() { in_chroot "$1" "$APT_PRELUDE aptin python3 python3-apt"; }

image_openrcpy_parent() { echo openrc; }
image_openrcpy_meta() { echo "family=debian init=openrc python=/usr/bin/python3 repos=deb,bookworm"; }
image_openrcpy_build() { in_chroot "$1" "$APT_PRELUDE aptin python3 python3-apt"; }

image_openrc_parent() { echo sysvinit; }          # OpenRC on top of sysvinit's PID 1
image_openrc_meta() { echo "family=debian init=openrc python= repos=deb,bookworm"; }
image_openrc_build() {
    in_chroot "$1" "$APT_PRELUDE aptin openrc"
    sed -i 's/^#\?rc_controller_cgroups=.*/rc_controller_cgroups="NO"/; s/^#\?rc_sys=.*/rc_sys="lxc"/' "$1/etc/rc.conf"
    seed_inittab "$1"
}

# A host whose package manager is dnf/rpm.  Debian supplies the binaries, the
# repository is ours; dpkg and apt are removed from sight.
image_dnf_parent() { echo debian; }
image_dnf_meta() { echo "family=redhat init=systemd python=/usr/bin/python3 repos=rpm"; }
image_dnf_build() {
    in_chroot "$1" "$APT_PRELUDE aptin dnf rpm"
    hide_dpkg "$1"
    # the names of a real distribution, or `os_family` would not come out as RedHat (likewise below)
    os_release "$1" 'NAME="Rocky Linux"' 'ID="rocky"' 'ID_LIKE="rhel centos fedora"' 'VERSION="9.3 (Blue Onyx)"' 'VERSION_ID="9.3"' 'PRETTY_NAME="Rocky Linux 9.3 (fleet)"'
    echo 'Rocky Linux release 9.3 (Blue Onyx)' > "$1/etc/redhat-release"
    mkdir -p "$1/etc/yum.repos.d" "$1/etc/dnf"
    printf '[main]\ngpgcheck=0\ninstallonly_limit=3\nbest=True\nskip_if_unavailable=False\nkeepcache=False\nreposdir=/etc/yum.repos.d\nplugins=0\n' > "$1/etc/dnf/dnf.conf"
    printf '[fleet]\nname=fleet\nbaseurl=file:///srv/fleet/rpm\nenabled=1\ngpgcheck=0\n' > "$1/etc/yum.repos.d/fleet.repo"
    mkdir -p "$1/etc/dnf/vars"; echo 9 > "$1/etc/dnf/vars/releasever"
    ln -sfn dnf "$1/usr/bin/yum"
    rpm_base "$1"
}

# an rpm data base needs someone to own /bin/sh
rpm_base() {
    # Debian's rpm keeps its data base in ~/.rpmdb and warns against itself: be as other distributions
    mkdir -p "$1/etc/rpm"; echo '%_dbpath /var/lib/rpm' > "$1/etc/rpm/macros"
    cat > "$1/tmp/base.spec" <<'EOF'
Name: fleet-base
Version: 9.3
Release: 1
Summary: what the image already has
License: MIT
BuildArch: noarch
Provides: /bin/sh, /bin/bash, /usr/bin/sh, /usr/bin/env, system-release = 9.3, redhat-release = 9.3
%description
what the image already has
%files
EOF
    chroot "$1" /bin/sh -euc 'rpm --initdb; rpmbuild -bb --quiet --define "_topdir /tmp/rb" /tmp/base.spec; rpm -i --nodeps /tmp/rb/RPMS/noarch/*.rpm; rm -rf /tmp/rb /tmp/base.spec'
}
hide_dpkg() { rm -f "$1"/usr/bin/dpkg* "$1"/usr/bin/apt "$1"/usr/bin/apt-*; rm -rf "$1/var/lib/dpkg" "$1/etc/apt"; rm -f "$1/etc/debian_version"; }
os_release() { local r=$1; shift; rm -f "$r/etc/os-release"; printf '%s\n' "$@" > "$r/etc/os-release"; }

# No bash, no GNU userland, no python, no sftp-server: busybox + dropbear.
image_busybox_parent() { :; }
image_busybox_meta() { echo "family=busybox init=busybox python="; }
image_busybox_build() {
    local r=$1 t lib
    t=$(mktemp -d)
    ( cd "$t" && apt-get -qq download busybox-static dropbear-bin libtomcrypt1 libtommath1 libcrypt1 zlib1g libgmp10 libc6 >/dev/null
      for d in *.deb; do dpkg-deb -x "$d" x; done )
    mkdir -p "$r"/{bin,sbin,usr/bin,usr/sbin,lib,lib64,etc/dropbear,etc/init.d,proc,sys,dev,run,tmp,root,var/log,var/run,home,srv/fleet,mnt}
    cp "$t/x/bin/busybox" "$r/bin/busybox"
    cp "$t"/x/usr/sbin/dropbear "$r/usr/sbin/"
    cp "$t"/x/usr/bin/dropbearkey "$r/usr/bin/"
    mkdir -p "$r/lib/x86_64-linux-gnu"
    for lib in $(LD_LIBRARY_PATH=$t/x/usr/lib/x86_64-linux-gnu:$t/x/lib/x86_64-linux-gnu ldd "$r/usr/sbin/dropbear" | awk '/=>/ {print $3}') ; do
        cp -L "$lib" "$r/lib/x86_64-linux-gnu/"; done
    cp -L /lib64/ld-linux-x86-64.so.2 "$r/lib64/"
    for lib in libnss_files.so.2 libnss_compat.so.2; do cp -L "/lib/x86_64-linux-gnu/$lib" "$r/lib/x86_64-linux-gnu/" 2>/dev/null || true; done
    rm -rf "$t"
    chroot "$r" /bin/busybox --install -s
    printf 'root:x:0:0:root:/root:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/sh\n' > "$r/etc/passwd"
    printf 'root:x:0:\nadmin:x:1000:\n' > "$r/etc/group"
    printf 'root:*:19000:0:99999:7:::\nadmin:*:19000:0:99999:7:::\n' > "$r/etc/shadow"; chmod 640 "$r/etc/shadow"
    printf '/bin/sh\n' > "$r/etc/shells"
    printf 'NAME="Fleet Busybox"\nID=fleetbb\nVERSION_ID=1\nPRETTY_NAME="Fleet Busybox 1"\n' > "$r/etc/os-release"
    printf 'passwd: files\ngroup: files\nhosts: files\n' > "$r/etc/nsswitch.conf"
    mkdir -p "$r/home/admin"; chown 1000:1000 "$r/home/admin"; chmod 1777 "$r/tmp"; chmod 700 "$r/root"
    printf '::sysinit:/etc/init.d/rcS\n::respawn:/usr/sbin/dropbear -F -E -s -r /etc/dropbear/dropbear_ed25519_host_key\n::ctrlaltdel:/sbin/reboot\n::shutdown:/bin/true\n' > "$r/etc/inittab"
    printf '#!/bin/sh\nhostname -F /etc/hostname 2>/dev/null\n:\n' > "$r/etc/init.d/rcS"; chmod 755 "$r/etc/init.d/rcS"
}

# Not a host: the tools that make the rpm repository.
image_tools_parent() { echo debian; }
image_tools_meta() { echo "family=tools init=none python="; }
image_tools_build() { in_chroot "$1" "$APT_PRELUDE aptin rpm createrepo-c"; }
