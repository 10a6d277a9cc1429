# Makes Tailscale's own packages known to apt. Arguments: where they are. A second entry under another
# key would make apt refuse both, so one that somebody has written elsewhere is left alone.
sources=/etc/apt/sources.list.d/tailscale.list
host=${1#*://}
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
	[ "$file" = "$sources" ] || ! grep -qs "^[^#]*://$host" "$file" || exit 0
done
set -e
[ -e /etc/ssl/certs/ca-certificates.crt ] || install ca-certificates
. /etc/os-release
keyring=/usr/share/keyrings/tailscale-archive-keyring.gpg
mkdir -p /usr/share/keyrings
trap 'rm -f "$keyring.new" "$sources.new"' EXIT
rm -f "$keyring.new" "$sources.new"
download "$1/stable/$ID/$VERSION_CODENAME.noarmor.gpg" "$keyring.new"
download "$1/stable/$ID/$VERSION_CODENAME.tailscale-keyring.list" "$sources.new"
[ -s "$keyring.new" ] && grep -q '^deb ' "$sources.new" || {
	echo "what $1 answered is not a key and a package source"
	exit 1
}
chmod 644 "$keyring.new" "$sources.new"
mv "$keyring.new" "$keyring"
mv "$sources.new" "$sources"
