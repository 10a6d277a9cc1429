# Shows this host's part of the mesh, without its private key.
command -v wg >/dev/null && [ -s "$key" ] || exit 0
echo "public=$(wg pubkey <"$key")"
[ -e "$conf" ] || exit 0
sed 's/^/conf=/' "$conf"
is_right && echo right=yes
heard | sed 's/^/heard=/'
