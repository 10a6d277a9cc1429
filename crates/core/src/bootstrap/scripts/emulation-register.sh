# Has the kernel hand programs of another architecture to the emulator, now and after a reboot.
# Arguments: the name of the handler.
exec 2>&1
set -eu
misc=/proc/sys/fs/binfmt_misc
[ -e $misc/status ] || systemctl -q start proc-sys-fs-binfmt_misc.mount || {
	journalctl -u proc-sys-fs-binfmt_misc.mount -n 6 --no-pager -o cat
	echo "$misc could not be mounted; the last lines about it are above"
	exit 1
}
[ "$(cat $misc/status)" = enabled ] || echo 1 >$misc/status
if [ -e "/usr/lib/binfmt.d/$1.conf" ]; then
	# Restarting the service would also take away what others have registered by hand.
	/lib/systemd/systemd-binfmt "$1.conf"
else
	systemctl -q enable --now binfmt-support.service
	update-binfmts --import "$1"
	# One that is registered in another way is not registered anew otherwise.
	update-binfmts --disable "$1"
	update-binfmts --enable "$1"
fi
