# Puts a configuration beside the one in use, from standard input. Arguments: its hash.
set -eu
umask 077
mkdir -p "${conf%/*}"
# What runs left that were cut short.
find "${conf%/*}" -name "${conf##*/}.*" -mmin +1440 ! -name '*.old' -delete
cat >"$conf.part.$$"
mv "$conf.part.$$" "$conf.$1"
