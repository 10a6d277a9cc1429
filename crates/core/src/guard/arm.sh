# Makes a change that the host undoes by itself unless it is confirmed: NAME WINDOW DONE UNDO CHANGE.
# DONE, UNDO and CHANGE are command lines; where DONE succeeds there is nothing to do.
# Ends with 73 when nothing was begun, 76 when an earlier change waits for its confirmation, 77 when the
# change failed and was undone, and 78 when it could not even be undone.
set -eu
umask 077
name=$1 window=$2 done=$3 undo=$4 change=$5
all=/var/lib/stagecraft/guards
mine=$all/$name
unit=/etc/systemd/system/stagecraft-undo-$name
timer=stagecraft-undo-$name.timer
armed=
trap '[ -n "$armed" ] || exit 73' EXIT

mkdir -p "$all"
exec 9>"$all/lock"
flock 9
if sh -c "$done" >/dev/null 2>&1 9>&-; then
    armed=not-needed
    exit 0
fi
if [ -e "$mine/undo" ]; then
    if systemctl is-active --quiet "$timer"; then
        armed=before
        exit 76
    fi
    # Nobody would undo it any more.
    sh "$mine/undo" 9>&-
fi
rm -rf "$mine"
mkdir "$mine"

# Runs when the window has passed, also when the host restarted meanwhile; again as long as it fails.
cat >"$mine/fire" <<EOF
exec 9>$all/lock
flock 9
if [ -e $mine/undo ]; then
    sh $mine/undo 9>&- || exit 1
    mv $mine/undo $mine/undone
fi
systemctl disable --quiet --now $timer
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
OnUnitInactiveSec=$window
AccuracySec=1s
[Install]
WantedBy=timers.target
EOF
systemctl daemon-reload
systemctl enable --quiet "$timer"
systemctl restart "$timer"
# Last, so that there is never an undo that nobody would carry out.
printf '%s\n' "$undo" >"$mine/undo.part"
mv "$mine/undo.part" "$mine/undo"
# A machine that loses power must find it all again.
sync
armed=yes

status=0
sh -c "$change" 9>&- || status=$?
[ $status != 0 ] || exit 0
echo "it ended with status $status" >&2
sh "$mine/undo" 9>&- || exit 78
rm -f "$mine/undo"
systemctl disable --quiet --now "$timer"
rm -rf "$mine" "$unit.service" "$unit.timer"
exit 77
