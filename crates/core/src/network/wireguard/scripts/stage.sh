# Puts a configuration beside the one in use, from standard input. Arguments: its hash.
set -eu
umask 077
mkdir -p "${conf%/*}"
cat >"$conf.part.$$"
mv "$conf.part.$$" "$conf.$1"
