# Arguments: the packages, the one that matters first.
known "$1" && is_fresh || update
# Some suites have the client in a package of its own.
case $1 in docker.io) known docker-cli && set -- "$@" docker-cli ;; esac
# Where the kernel enforces AppArmor, no container starts without its tools.
[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ] || set -- "$@" apparmor
install "$@"
