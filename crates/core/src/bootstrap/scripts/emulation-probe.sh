# Says what the kernel does with programs of another architecture, and what will tell it to after a
# reboot. Arguments: the name of the handler.
misc=/proc/sys/fs/binfmt_misc
state() { systemctl show --property=UnitFileState --value "$1"; }

# systemd mounts it for whoever looks.
if [ -e $misc/status ]; then
	echo "kernel=$(cat $misc/status)"
elif grep -qw binfmt_misc /proc/filesystems || modprobe -nq binfmt_misc; then
	echo kernel=unmounted
else
	echo kernel=none
fi
[ ! -e "$misc/$1" ] || sed -n '1s/^/handler=/p; s/^flags: /flags=/p' "$misc/$1"
for folder in /etc /usr/lib; do
	file=$folder/binfmt.d/$1.conf
	[ -e "$file" ] || continue
	grep -q "^:$1:.*:[A-Z]*F[A-Z]*$" "$file" && echo "systemd-binfmt=$(state systemd-binfmt.service)"
	break
done
[ ! -e "/var/lib/binfmts/$1" ] || echo "binfmt-support=$(state binfmt-support.service)"
dpkg-query -W -f 'package=${db:Status-Abbrev} ${Package}\n' qemu-user-static binfmt-support 2>/dev/null
exit 0
