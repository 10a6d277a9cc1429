# Makes ready for `tailscale up`, and takes its key from the input, if there is one. Arguments: the folder
# to keep it in, and for how many seconds at most. The folder is in memory only.
exec 2>&1
set -eu
umask 077
folder=$1
timer=stagecraft-tailscale-key
mkdir -p "$folder"
rm -f "$folder/key" "$folder/said"
systemctl -q stop $timer.timer 2>/dev/null || true
key=$(cat)
[ -n "$key" ] || exit 0
# First, so that the key is never there without somebody who removes it.
systemd-run --quiet --collect --unit=$timer --on-active="$2" rm -f "$folder/key"
printf '%s\n' "$key" >"$folder/key"
