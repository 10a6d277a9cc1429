# Writes a file whole or not at all. Arguments: the file, its text.
exec 2>&1
set -eu
printf '%s\n' "$2" >"$1.new"
chmod 644 "$1.new"
mv "$1.new" "$1"
