# Waits until peers were heard from. Arguments: for how many seconds at most, and their names.
limit=$1
shift

silent() {
	{
		heard | sed 's/^/heard /'
		cat "$conf"
	} | awk -v names="$*" '
		$1 == "heard" { heard[$2] = 1 }
		/^# [^ ]+$/ { name = $2 }
		/^PublicKey = / { key[name] = $3 }
		/^Endpoint = / { at[name] = $3 }
		END {
			count = split(names, all, " ")
			for (i = 1; i <= count; i++)
				if (!(key[all[i]] in heard))
					print all[i] " was not heard from" (at[all[i]] ? " at " at[all[i]] : "")
		}'
}

deadline=$(($(date +%s) + limit))
while [ -n "$(silent "$@")" ]; do
	[ "$(date +%s)" -lt "$deadline" ] || break
	sleep 0.5
done
silent "$@"
[ -z "$(silent "$@")" ]
