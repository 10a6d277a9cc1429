# Logs the host out of its tailnet, where there is a client. Arguments: how many seconds it may take.
exec 2>&1
command -v tailscale >/dev/null || exit 0
timeout -k 5 "$1" tailscale logout </dev/null
