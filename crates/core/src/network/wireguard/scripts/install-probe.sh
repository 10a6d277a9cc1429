# Says which parts of WireGuard are there.
for program in wg wg-quick wireguard-go; do
	command -v "$program" >/dev/null && echo "program=$program"
done
[ -e /sys/module/wireguard ] || modprobe -nq wireguard 2>/dev/null && echo kernel=yes
dpkg-query -W -f 'package=${db:Status-Abbrev} ${Package}\n' wireguard-tools wireguard-go 2>/dev/null
exit 0
