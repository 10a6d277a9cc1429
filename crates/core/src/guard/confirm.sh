# Keeps a change that waits for its confirmation, and cleans up behind it: NAME CLEANUP.
set -eu
name=$1 cleanup=$2
all=/var/lib/stagecraft/guards
mine=$all/$name
unit=/etc/systemd/system/stagecraft-undo-$name

mkdir -p "$all"
exec 9>"$all/lock"
flock 9
if [ -e "$mine/undone" ]; then
    rm -rf "$mine"
    exit 75
fi
if [ -e "$mine/undo" ]; then
    # From here on it stays, whatever happens to the timer.
    rm -f "$mine/undo"
    systemctl disable --quiet --now "stagecraft-undo-$name.timer"
    rm -rf "$mine" "$unit.service" "$unit.timer"
fi
sh -c "$cleanup" 9>&- || echo "cleaning up behind the change of $name failed" >&2
