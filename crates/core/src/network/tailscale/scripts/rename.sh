# Gives the host a name in its tailnet, and waits until it is known by it. Arguments: names to ask for one
# after another; the last is the one it keeps. A name is given when another is asked for, not again.
exec 2>&1
set -eu
for name in "$@"; do
	timeout 20 tailscale set --hostname="$name"
	tries=10
	# The first is the host's own.
	until tailscale status --json | grep -m 1 '"DNSName":' | grep -q "\"$name\\."; do
		[ $((tries -= 1)) -gt 0 ] || break
		sleep 0.5
	done
done
