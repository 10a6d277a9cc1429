# Shows this host's part of the mesh, without its private key. Arguments: the file that is there while
# a change waits for its confirmation.
[ -s "$key" ] || {
	echo public=none
	exit 0
}
public=$(wg pubkey <"$key") || exit 1
echo "public=$public"
[ -e "$conf" ] || exit 0
sed 's/^/conf=/' "$conf"
[ ! -e "$1" ] && is_right && echo right=yes
heard | sed 's/^/heard=/'
