# Asks Docker Engine for its version; when it does not answer, tells what it logged.
docker version --format '{{.Server.Version}}' && exit 0
status=$?
journalctl -u docker.service -n 10 --no-pager -o cat
exit "$status"
