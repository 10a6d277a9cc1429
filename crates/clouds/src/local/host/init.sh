#!/bin/sh
# The first process of a host. It takes Docker's marks off the container, gives systemd a writable
# cgroup tree of its own, does on the first boot what cloud-init does, and becomes systemd.
#
# Input, from the environment:
#   STAGECRAFT_AUTHORIZED_KEYS  lines for authorized_keys; used on the first boot only
#   STAGECRAFT_LOGIN_USER       who alone is let in, and made if need be; empty for all the image has
#   STAGECRAFT_USER_DATA        what a cloud would hand to cloud-init; the same
#   STAGECRAFT_RESOLVERS        addresses of name servers that can be reached from the host
#
# It ends with status 0 after a poweroff (the engine then leaves the host off) and with 78 when the
# container cannot become a host.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
state=/var/lib/stagecraft

fail() {
    echo "stagecraft: $*" >&2
    exit 78
}

[ $$ = 1 ] || fail "this program has to be the first process of a container"
mkdir -p "$state" || fail "$state cannot be written"
if [ -e "$state/powered-off" ]; then
    rm -f "$state/powered-off"
    exit 0
fi
first_boot=
[ -e "$state/booted" ] || first_boot=yes

# Docker binds files of its own over these three, which keeps `hostnamectl` and resolver tools from
# replacing them. What Docker wrote is kept aside, the host gets plain files.
docker_resolv=$(cat /etc/resolv.conf 2>/dev/null)
for name in hostname hosts resolv.conf; do
    if grep -q " /etc/$name " /proc/self/mounts; then
        umount "/etc/$name" || fail "/etc/$name cannot be unmounted: CAP_SYS_ADMIN is missing"
    fi
done
rm -f /.dockerenv

if [ -n "$first_boot" ]; then
    name=$(cat /proc/sys/kernel/hostname)
    echo "$name" >/etc/hostname
    cat >/etc/hosts <<EOF
127.0.0.1 localhost
127.0.1.1 $name
::1 localhost ip6-localhost ip6-loopback
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters
EOF
fi

# Docker's own resolver lives in NAT rules that the first `nft flush ruleset` removes, and containers
# inside the host could not reach it. Name servers that answer directly are preferred: those Docker
# itself forwards to, as newer engines write in a comment, else those of the engine's machine.
servers=
for server in $(echo "$docker_resolv" |
    sed -n 's/^# ExtServers: \[\(.*\)\].*/\1/p' | sed 's/host(\([^)]*\))/\1/g') $STAGECRAFT_RESOLVERS; do
    case $server in
    127.* | *:* | 0.0.0.0) ;;
    *) servers="$servers $server" ;;
    esac
done
marker='# Written at every boot; a file without this line is left alone.'
if [ -n "$first_boot" ]; then rm -f /etc/resolv.conf; fi
if [ -n "$first_boot" ] || grep -qxF "$marker" /etc/resolv.conf 2>/dev/null; then
    {
        echo "$marker"
        if [ -n "$servers" ]; then
            for server in $servers; do echo "nameserver $server"; done | awk '!seen[$0]++' | head -n 3
        else
            echo "$docker_resolv" | grep -v '^#'
        fi
    } >/etc/resolv.conf
fi
# Only the rules of Docker's resolver are there when a host boots. Without them in sight the rules
# belong to somebody else, and are not touched.
if [ -n "$servers" ] && nft list ruleset 2>/dev/null | grep -q DOCKER_OUTPUT; then
    nft flush ruleset
fi

mount --make-rshared / 2>/dev/null
# These belong to the whole machine, not to this host.
[ ! -e /proc/sysrq-trigger ] || mount --bind /dev/null /proc/sysrq-trigger
mount --bind /proc/sys/kernel /proc/sys/kernel && mount -o remount,bind,ro /proc/sys/kernel
# systemd takes several inotify instances, counted over all hosts of a machine, and Linux allows 128.
# This limit is machine-wide as well; it is only ever raised, and only until the machine restarts.
limit=/proc/sys/fs/inotify/max_user_instances
if [ "$(cat $limit)" -lt 4096 ]; then
    echo 4096 2>/dev/null >$limit || true
fi

[ -e /dev/kmsg ] || ln -s null /dev/kmsg
mkdir -p /dev/net
[ -e /dev/net/tun ] || mknod -m 666 /dev/net/tun c 10 200 2>/dev/null
[ -e /dev/fuse ] || mknod -m 666 /dev/fuse c 10 229 2>/dev/null

# The view of the cgroups that Docker gives is read-only. In the container's own cgroup namespace a
# fresh mount shows the container's part of the tree only. Binding the machine's /sys/fs/cgroup
# instead would let this systemd rearrange the machine's groups.
kind=$(stat -fc %T /sys/fs/cgroup)
umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup ||
    fail "/sys/fs/cgroup cannot be unmounted"
case $kind in
cgroup2fs)
    mount -t cgroup2 -o rw,nosuid,nodev,noexec cgroup2 /sys/fs/cgroup ||
        fail "the cgroup tree cannot be mounted"
    set --
    ;;
*)
    mount -t tmpfs -o mode=755,nosuid,nodev,noexec cgroup /sys/fs/cgroup || fail "no tmpfs for cgroups"
    while IFS=: read -r _ controllers _; do
        case $controllers in
        '') continue ;;
        name=*) at=/sys/fs/cgroup/${controllers#name=} options=none,$controllers ;;
        *) at=/sys/fs/cgroup/$controllers options=$controllers ;;
        esac
        mkdir -p "$at"
        mount -t cgroup -o "$options,nosuid,nodev,noexec" cgroup "$at" ||
            fail "the cgroup tree of $controllers cannot be mounted"
        case $controllers in
        name=*) ;;
        *,*) for one in $(echo "$controllers" | tr , ' '); do ln -s "$controllers" "/sys/fs/cgroup/$one"; done ;;
        esac
    done </proc/self/cgroup
    # systemd mounts every controller it sees, and mounting one that has no tree yet creates it for
    # the whole machine. So it sees only those that have one.
    awk 'NR == 1 || $2 != 0' /proc/cgroups >/run/.cgroups && mount --bind /run/.cgroups /proc/cgroups
    # The kernel's command line, as far as systemd is concerned: newer ones refuse these trees.
    set -- SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 systemd.unified_cgroup_hierarchy=0
    ;;
esac

if [ -n "$first_boot" ]; then
    # As cloud-init has it: host keys that are given are the only ones, else there is one of each kind.
    rm -f /etc/ssh/ssh_host_*
    key=/etc/ssh/ssh_host_ed25519_key
    printf '%s\n' "$STAGECRAFT_USER_DATA" |
        sed -n '/^  ed25519_private: |$/,/^    -----END/{/^    /s/^    //p}' | (umask 077 && cat >"$key")
    if [ -s "$key" ]; then
        ssh-keygen -y -f "$key" >"$key.pub" || fail "the SSH host key of the user data cannot be used"
    else
        for kind in ed25519 ecdsa; do
            rm -f "/etc/ssh/ssh_host_${kind}_key"
            ssh-keygen -q -t $kind -N '' -f "/etc/ssh/ssh_host_${kind}_key" || fail "no SSH host key"
        done
    fi
    users='root debian ubuntu'
    if [ -n "$STAGECRAFT_LOGIN_USER" ]; then
        users=$STAGECRAFT_LOGIN_USER
        id "$users" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$users" ||
            fail "the user $users cannot be made"
        [ "$users" = root ] || echo "$users ALL=(ALL) NOPASSWD:ALL" >/etc/sudoers.d/90-stagecraft
    fi
    for user in $users; do
        home=$(awk -F: -v user=$user '$1 == user { print $6 }' /etc/passwd)
        [ -n "$home" ] || continue
        mkdir -p "$home/.ssh"
        printf '%s\n' "$STAGECRAFT_AUTHORIZED_KEYS" >"$home/.ssh/authorized_keys"
        chmod 700 "$home/.ssh"
        chmod 600 "$home/.ssh/authorized_keys"
        chown -R "$user:" "$home/.ssh"
    done
    : >"$state/booted"
fi
exec env -i container=docker "PATH=$PATH" /sbin/init "$@"
