# Makes Docker's own packages known to apt. A second entry under another key would make apt refuse
# both, so one that is there already is left alone.
grep -Eqs '^[^#]*download\.docker\.com' /etc/apt/sources.list /etc/apt/sources.list.d/* && exit 0
set -e
[ -e /etc/ssl/certs/ca-certificates.crt ] || install ca-certificates
. /etc/os-release
origin=https://download.docker.com/linux/$ID
keyring=/etc/apt/keyrings/docker.asc
mkdir -p /etc/apt/keyrings
chmod 755 /etc/apt/keyrings
rm -f "$keyring.new"
download "$origin/gpg" "$keyring.new"
grep -q 'BEGIN PGP PUBLIC KEY' "$keyring.new" || {
	echo "what $origin/gpg answered is not a key"
	exit 1
}
chmod 644 "$keyring.new"
mv "$keyring.new" "$keyring"
sources=/etc/apt/sources.list.d/docker.sources
printf '%s\n' 'Types: deb' "URIs: $origin" "Suites: $VERSION_CODENAME" 'Components: stable' \
	"Architectures: $(dpkg --print-architecture)" "Signed-By: $keyring" >"$sources.new"
chmod 644 "$sources.new"
mv "$sources.new" "$sources"
