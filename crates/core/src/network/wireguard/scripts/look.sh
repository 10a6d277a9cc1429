# Shows this host's part of the mesh, without its private key. Arguments: the file that is there while
# a change waits for its confirmation.
command -v wg >/dev/null && [ -s "$key" ] || exit 0
echo "public=$(wg pubkey <"$key")"
[ -e "$conf" ] || exit 0
sed 's/^/conf=/' "$conf"
[ ! -e "$1" ] && is_right && echo right=yes
heard | sed 's/^/heard=/'
