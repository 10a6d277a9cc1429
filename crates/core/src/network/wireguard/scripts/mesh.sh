# What the scripts of the mesh share. Arguments: the interface, and more.
exec 2>&1
export LC_ALL=C
iface=$1
shift
conf=/etc/wireguard/$iface.conf
key=/etc/wireguard/$iface.key
unit=wg-quick@$iface.service

# The value of a key of our section.
own() {
	sed -n '/^\[Peer\]/q; s/^'"$1"' = //p' "$conf"
}

# Addresses and names of all members, as lines of /etc/hosts.
hosts_wanted() {
	awk '/^# [^ ]+$/ { name = $2 }
		/^(Address|AllowedIPs) = / { split($3, a, "/"); print a[1] " " name }' "$conf"
}

hosts_there() {
	sed -n "/^# begin $iface\$/,/^# end $iface\$/p" /etc/hosts | grep -v '^#'
}

# Keys and addresses of the peers, as WireGuard shows them.
peers_wanted() {
	awk '/^PublicKey = / { key = $3 } /^AllowedIPs = / { print key "\t" $3 }' "$conf" | sort
}

# Whether WireGuard does what the file says.
runs() {
	[ -e "$conf" ] && systemctl is-active --quiet "$unit" &&
		ip -o addr show dev "$iface" 2>/dev/null | grep -qF " $(own Address) " &&
		[ "$(wg show "$iface" listen-port)" = "$(own ListenPort)" ] &&
		[ "$(wg show "$iface" public-key)" = "$(wg pubkey <"$key")" ] &&
		[ "$(wg show "$iface" allowed-ips | sort)" = "$(peers_wanted)" ] &&
		[ "$(wg show "$iface" persistent-keepalive | grep -c 'off$')" = 0 ]
}

is_right() {
	runs && [ "$(hosts_there)" = "$(hosts_wanted)" ] && systemctl is-enabled --quiet "$unit"
}

# The keys of peers heard from lately: WireGuard gives a session up after three minutes.
heard() {
	wg show "$iface" latest-handshakes 2>/dev/null |
		awk -v now="$(date +%s)" '$2 > 0 && now - $2 < 240 { print $1 }'
}
