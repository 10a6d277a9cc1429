# Prints how the host stands in its tailnet, and what the last `tailscale up` of ours said. Arguments:
# the folder that is in, the file that is there while it waits for its confirmation.
date -u '+now=%Y-%m-%dT%H:%M:%SZ'
[ ! -e "$1/said" ] || cat "$1/said"
[ ! -e "$2" ] || echo pending=yes
command -v tailscale >/dev/null || exit 0
tries=10
while :; do
	seen=$(tailscale status --json 2>&1)
	status=$?
	# What a daemon says while it starts is soon something else.
	case $seen in *'"BackendState": "NoState"'* | *'"BackendState": "Starting"'*) ;; *) break ;; esac
	[ $((tries -= 1)) -gt 0 ] || break
	sleep 1
done
printf 'status=%s\n%s\n' "$status" "$seen"
