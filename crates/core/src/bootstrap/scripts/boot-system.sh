# Waits until systemd has started everything. Arguments: the limit in seconds.
exec 2>&1
status=0
timeout "$1" systemctl is-system-running --wait >/dev/null || status=$?
if [ "$status" -eq 124 ]; then
	systemctl list-jobs --no-legend --no-pager | head -n 10
	echo "the system did not finish starting within $1 s; the units above are still waited for"
	exit "$status"
fi
