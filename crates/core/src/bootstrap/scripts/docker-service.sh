# Starts Docker now and at every boot. Arguments: how many seconds it may take.
exec 2>&1
set -u
fail() {
	journalctl -u docker.service -n 10 --no-pager -o cat
	echo "$1"
	exit 1
}
systemctl reset-failed docker.service docker.socket 2>/dev/null
timeout "$1" systemctl -q enable --now docker.service ||
	fail 'docker.service did not start; its last lines are above'
timeout "$1" sh -c 'until docker version >/dev/null 2>&1; do sleep 0.5; done' ||
	fail "Docker did not answer within $1 s; the last lines of docker.service are above"
