#!/bin/sh
# Makes a host out of a plain Debian or Ubuntu file system. Runs once inside it, when the image is
# built: provision.sh USER PACKAGE...
set -eu
export DEBIAN_FRONTEND=noninteractive
user=$1
shift

# A host that is thrown away need not survive a power cut; waiting for the disk is a third of apt's
# time. The other files are for images that boot no system and start no services.
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/stagecraft
rm -f /etc/apt/apt.conf.d/docker-gzip-indexes /etc/apt/apt.conf.d/docker-no-languages

missing=
for package in "$@"; do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
    *'ok installed') ;;
    *) missing="$missing $package" ;;
    esac
done
if [ -n "$missing" ]; then
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -qq --no-install-recommends -o Dpkg::Use-Pty=0 $missing
fi
apt-get clean
rm -rf /var/lib/apt/lists/* /usr/sbin/policy-rc.d

id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --groups sudo "$user"
echo "$user ALL=(ALL) NOPASSWD:ALL" >/etc/sudoers.d/90-stagecraft
chmod 440 /etc/sudoers.d/90-stagecraft

# Made on the first boot, so that no two hosts share them.
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id
: >/etc/machine-id

# What waits for hardware or networks that Docker has set up already, and what works behind the
# back of whoever uses apt.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    fstrim.timer motd-news.timer systemd-networkd-wait-online.service systemd-remount-fs.service \
    getty@.service console-getty.service; do
    ln -sf /dev/null "/etc/systemd/system/$unit"
done
mkdir -p /etc/systemd/journald.conf.d /usr/lib/systemd/system-shutdown
printf '[Journal]\nSystemMaxUse=64M\nRuntimeMaxUse=16M\n' >/etc/systemd/journald.conf.d/stagecraft.conf

# The engine restarts a host whose kernel would restart it, for a poweroff as for a reboot. This
# note tells the next boot that it was a poweroff.
cat >/usr/lib/systemd/system-shutdown/stagecraft <<'EOF'
#!/bin/sh
[ "$1" != poweroff ] || : >/var/lib/stagecraft/powered-off
EOF
chmod 755 /usr/lib/systemd/system-shutdown/stagecraft /usr/lib/stagecraft/init
mkdir -p /var/lib/stagecraft
[ -e /etc/default/locale ] || echo LANG=C.UTF-8 >/etc/default/locale
