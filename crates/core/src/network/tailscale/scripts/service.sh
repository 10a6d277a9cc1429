# Starts tailscaled now and at every boot. Arguments: how many seconds it may take.
exec 2>&1
set -u
fail() {
	journalctl -u tailscaled.service -n 10 --no-pager -o cat
	echo "$1"
	exit 1
}
systemctl reset-failed tailscaled.service 2>/dev/null
timeout "$1" systemctl -q enable --now tailscaled.service ||
	fail 'tailscaled.service did not start; its last lines are above'
timeout "$1" sh -c 'until tailscale status --json >/dev/null 2>&1; do sleep 0.5; done' ||
	fail "tailscaled did not answer within $1 s; its last lines are above"
