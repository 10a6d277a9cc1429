# Makes the host's private key, which never leaves it. Arguments: its file.
exec 2>&1
set -eu
umask 077
mkdir -p "${1%/*}"
mine=$1.$$
trap 'rm -f "$mine"' EXIT
wg genkey >"$mine"
# What is there and is no key is from a disk that was full.
[ ! -e "$1" ] || wg pubkey <"$1" >/dev/null 2>&1 || rm -f "$1"
# Of two runs at once the first one's stays.
ln "$mine" "$1" 2>/dev/null || [ -e "$1" ]
