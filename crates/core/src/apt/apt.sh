# What apt needs to be run by nobody. Arguments: how many seconds to wait for its locks, and more.
exec 2>&1
set -u
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
# Restarting other services is not what was asked for; old versions know the mode only.
export NEEDRESTART_SUSPEND=1 NEEDRESTART_MODE=a
limit=$1
shift
tried=
fix=
complaints=

seconds_up() {
	read -r now _ </proc/uptime
	echo "${now%.*}"
}

# Runs a command, again for as long as another process holds a lock it needs. apt's own
# `DPkg::Lock::Timeout` covers neither the lists nor the archives. What the command printed is
# kept in `said`: held in memory, it can be told when the disk is full, and apt does not die half
# way of a lost connection.
patiently() {
	deadline=$(($(seconds_up) + limit))
	while :; do
		status=0
		said=$("$@" 2>&1 </dev/null) || status=$?
		[ "$status" -ne 0 ] || return 0
		case $said in
		*'Could not get lock'* | *'lock was locked by another process'*) ;;
		*) return "$status" ;;
		esac
		[ "$(seconds_up)" -lt "$deadline" ] || return "$status"
		sleep 1
	done
}

# Stops where the disk is full: `apt-get update` would hang there.
need_room() {
	said=$(df -Pk /usr /var/lib/dpkg /var/lib/apt/lists /var/cache/apt/archives 2>/dev/null |
		awk 'NR > 1 && $4 < 32768 { print $6 " has only " int($4 / 1024) " MB free" }' | sort -u)
	status=28
	[ -z "$said" ] || give_up
}

# A source that cannot be read is no reason to stop: what is wanted may come from the others.
update() {
	tried="$tried update"
	need_room
	patiently timeout -k 10 300 apt-get -qq update
	complaints=$(printf '%s\n' "$said" | grep -E '^[EW]:' | tail -n 6)
	[ "$status" -ne 124 ] || complaints='E: apt-get update did not finish within 300 s'
}

# Fetches an address into a file. This tool comes with apt; `curl` may not be there.
download() {
	patiently /usr/lib/apt/apt-helper -qq -o APT::Sandbox::User=root download-file "$1" "$2" || give_up
}

known() {
	apt-cache show "$1" >/dev/null 2>&1
}

is_fresh() {
	[ -n "$(find /var/lib/apt/lists -maxdepth 0 -mmin -1440)" ]
}

is_new() {
	case " $tried " in *" $1 "*) return 1 ;; esac
	tried="$tried $1"
}

give_up() {
	printf '%s\n' "$said" | tail -n 8
	case $said in
	*"$complaints"*) ;;
	*) printf '%s\n' "$complaints" ;;
	esac
	exit "$status"
}

# Installs packages, or only finishes what was interrupted when none is named.
install() {
	until patiently apt-get -qq -y --no-install-recommends --no-remove $fix \
		-o Dpkg::Use-Pty=0 \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
		install "$@"; do
		case $said in
		*'dpkg --configure -a'*)
			is_new configure || give_up
			patiently dpkg --force-confdef --force-confold --configure -a || give_up
			;;
		*'--fix-broken install'*)
			is_new fix-broken || give_up
			fix=--fix-broken
			;;
		*'Unable to locate'* | *'no installation candidate'* | *'Failed to fetch'* | *'held broken packages'*)
			case " $tried " in *' update '*) give_up ;; esac
			update
			;;
		*) give_up ;;
		esac
	done
}
