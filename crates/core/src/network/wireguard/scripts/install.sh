# Installs WireGuard's tools, and its userspace program where the kernel has none.
known wireguard-tools && is_fresh || update
install wireguard-tools
# Only trying tells: a module may be there and not be let in.
modprobe -q wireguard 2>/dev/null
if ip link add dev stagecraft-try type wireguard 2>/dev/null; then
	ip link delete dev stagecraft-try
else
	install wireguard-go
fi
