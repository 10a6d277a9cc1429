# Makes a change that the host undoes by itself unless it is confirmed: NAME WINDOW DONE UNDO CHANGE.
# DONE, UNDO and CHANGE are command lines; where DONE succeeds there is nothing to do.
set -eu
umask 077
name=$1 window=$2 done=$3 undo=$4 change=$5
all=/var/lib/stagecraft/guards
mine=$all/$name
unit=/etc/systemd/system/stagecraft-undo-$name

mkdir -p "$all"
exec 9>"$all/lock"
flock 9
if sh -c "$done" >/dev/null 2>&1 9>&-; then exit 0; fi
if [ -e "$mine/undo" ]; then
    echo "a change of \`$name\` waits for its confirmation" >&2
    exit 76
fi
rm -rf "$mine"
mkdir "$mine"

# Runs when the window has passed, also when the host restarted meanwhile.
cat >"$mine/fire" <<EOF
exec 9>$all/lock
flock 9
[ -e $mine/undo ] || exit 0
sh $mine/undo 9>&-
mv $mine/undo $mine/undone
systemctl disable stagecraft-undo-$name.timer
rm -f $unit.service $unit.timer
EOF
cat >"$unit.service" <<EOF
[Unit]
Description=Undo a change of $name that nobody confirmed
[Service]
Type=oneshot
ExecStart=/bin/sh $mine/fire
EOF
cat >"$unit.timer" <<EOF
[Unit]
Description=Wait for the confirmation of a change of $name
[Timer]
OnActiveSec=$window
AccuracySec=1s
[Install]
WantedBy=timers.target
EOF
systemctl daemon-reload
systemctl enable --quiet "stagecraft-undo-$name.timer"
systemctl restart "stagecraft-undo-$name.timer"
# Last, so that there is never an undo that nobody would carry out.
printf '%s\n' "$undo" >"$mine/undo.part"
mv "$mine/undo.part" "$mine/undo"

status=0
sh -c "$change" 9>&- || status=$?
if [ $status != 0 ]; then
    if sh "$mine/undo" 9>&-; then
        rm -f "$mine/undo"
        systemctl disable --quiet --now "stagecraft-undo-$name.timer"
        rm -rf "$mine" "$unit.service" "$unit.timer"
    else
        echo "undoing it failed as well; the host tries again within $window s" >&2
    fi
fi
exit $status
