# Arguments: the name of the handler.
known qemu-user-static && is_fresh || update
install qemu-user-static
# The package of Ubuntu 22.04 leaves the handlers to another.
[ -e "/usr/lib/binfmt.d/$1.conf" ] || install binfmt-support
