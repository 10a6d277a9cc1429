# Keeps a change that waits for its confirmation, and cleans up behind it: NAME DONE CLEANUP.
# Ends with 75 when the change is not there: the host has undone it.
set -eu
name=$1 done=$2 cleanup=$3
all=/var/lib/stagecraft/guards
mine=$all/$name
unit=/etc/systemd/system/stagecraft-undo-$name

mkdir -p "$all"
exec 9>"$all/lock"
flock 9
# Another run may have been told before that it was undone, so only looking tells.
if ! sh -c "$done" >/dev/null 2>&1 9>&-; then
    [ -e "$mine/undo" ] || rm -rf "$mine"
    exit 75
fi
if [ -e "$mine" ]; then
    # From here on it stays, whatever happens to the timer.
    rm -f "$mine/undo"
    systemctl disable --quiet --now "stagecraft-undo-$name.timer" || true
    rm -rf "$mine" "$unit.service" "$unit.timer"
fi
sh -c "$cleanup" 9>&- || echo "cleaning up behind the change of $name failed" >&2
