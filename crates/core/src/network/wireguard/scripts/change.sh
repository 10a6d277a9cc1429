# Changes to the configuration that was put beside, or goes back. Arguments: `is HASH`, which only
# tells, `to HASH`, `back`, or `forget HASH`, after which there is no way back.
set -eu

is() {
	[ -e "$1" ] && [ "$(sha256sum <"$1")" = "$2  -" ]
}

write_hosts() {
	touch /etc/hosts
	{
		if grep -q "^# end $iface\$" /etc/hosts; then
			sed "/^# begin $iface\$/,/^# end $iface\$/d" /etc/hosts
		else
			# Where it ended is lost, and what follows may be somebody's.
			sed "/^# begin $iface\$/d" /etc/hosts
		fi
		if [ -e "$conf" ]; then
			echo "# begin $iface"
			hosts_wanted
			echo "# end $iface"
		fi
	} >/etc/hosts.new
	chmod 644 /etc/hosts.new
	# In a container the file can be a mount, which cannot be replaced.
	mv /etc/hosts.new /etc/hosts 2>/dev/null || {
		cat /etc/hosts.new >/etc/hosts
		rm /etc/hosts.new
	}
}

# The configuration as `wg` reads it, with the key, which stays out of arguments.
for_wg() {
	echo '[Interface]'
	printf 'PrivateKey = '
	cat "$key"
	wg-quick strip "$iface" | sed '1,/^\[Interface\]$/d'
}

# Peers come and go without disturbing the others; a new address or port begins anew.
take_effect() {
	systemctl enable --quiet "$unit"
	if systemctl is-active --quiet "$unit" &&
		ip -o addr show dev "$iface" 2>/dev/null | grep -qF " $(own Address) " &&
		[ "$(wg show "$iface" listen-port)" = "$(own ListenPort)" ]; then
		for_wg | wg syncconf "$iface" /dev/stdin
	else
		systemctl stop "$unit"
		ip link delete dev "$iface" 2>/dev/null || true
		systemctl reset-failed "$unit" 2>/dev/null || true
		systemctl start "$unit" || {
			journalctl --unit="$unit" --lines=8 --output=cat
			exit 1
		}
	fi
	write_hosts
	runs
}

case $1 in
is)
	is "$conf" "$2" && is_right
	;;
to)
	# Left by a run that was cut short, it is no way back from this change.
	rm -f "$conf.old"
	if ! is "$conf" "$2"; then
		is "$conf.$2" "$2" || {
			echo 'the prepared configuration is gone: another run is at work'
			exit 1
		}
		if [ -e "$conf" ]; then cp -p "$conf" "$conf.old"; else : >"$conf.old"; fi
		mv "$conf.$2" "$conf"
	fi
	take_effect
	;;
back)
	[ -e "$conf.old" ] || exit 0
	if [ -s "$conf.old" ]; then
		cp -p "$conf.old" "$conf.back"
		mv "$conf.back" "$conf"
		take_effect
		rm -f "$conf.old"
	else
		systemctl disable --quiet --now "$unit" || true
		ip link delete dev "$iface" 2>/dev/null || true
		rm -f "$conf"
		write_hosts
		rm -f "$conf.old"
	fi
	;;
forget)
	rm -f "$conf.old" "$conf.$2"
	;;
esac
