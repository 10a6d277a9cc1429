# Makes the host's own key beside the one-time key, once: FIRST. Prints its public half. Where FIRST is
# not in use any more another run has switched already, and the key in use is the host's own.
set -eu
umask 077
first=$1
key=/etc/ssh/ssh_host_ed25519_key
guards=/var/lib/stagecraft/guards

mkdir -p "$guards"
exec 9>"$guards/lock"
flock 9
used=$(ssh-keygen -y -f "$key" | cut -d ' ' -f 1,2)
if [ "$used" != "$first" ]; then
    printf '%s\n' "$used"
    exit 0
fi
if ! [ -s "$key.next" ]; then
    work=$(mktemp -d /etc/ssh/.stagecraft.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    ssh-keygen -q -t ed25519 -N '' -C '' -f "$work/key"
    sync "$work/key"
    mv "$work/key" "$key.next"
fi
ssh-keygen -y -f "$key.next" | cut -d ' ' -f 1,2
