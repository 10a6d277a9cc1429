# Waits until cloud-init is done, well or not. Arguments: the limit in seconds.
exec 2>&1
status=0
timeout "$1" cloud-init status --wait >/dev/null || status=$?
if [ "$status" -eq 124 ]; then
	tail -n 10 /var/log/cloud-init-output.log
	echo "cloud-init did not finish within $1 s"
	exit "$status"
fi
