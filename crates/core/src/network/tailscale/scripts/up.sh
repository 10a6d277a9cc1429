# Runs `tailscale up`, or takes it back: done|change|undo|forget FOLDER LIMIT LOGIN-SERVER WORDS... What
# it says is left in FOLDER for the next look, without the key, whether it worked or not.
exec 2>&1
set -uf
umask 077
act=$1 folder=$2
timer=stagecraft-tailscale-key

forget() {
	rm -f "$folder/key"
	systemctl -q stop $timer.timer 2>/dev/null || true
}

up() {
	status=0
	said=$(timeout -k 5 "$limit" tailscale up "$@" </dev/null 2>&1) || status=$?
}

# Never by a program: its arguments are there for everyone to see.
mask() {
	[ -n "$1" ] || return 0
	shown=
	while :; do
		case $said in *"$1"*) ;; *) break ;; esac
		shown=$shown${said%%"$1"*}***
		said=${said#*"$1"}
	done
	said=$shown$said
}

# Where `up` refuses because it would undo settings of somebody else, it prints the command that keeps
# them: that is run, with our words last. Not where it would go on to another login server with our key.
again() {
	kept=$(printf '%s\n' "$said" | sed -n 's/^[[:space:]]*tailscale up \(--.*\)/\1/p' | tail -n 1)
	case $kept in '' | *[\'\"\\\`\$]*) return ;; esac
	for word in $kept; do
		case $word in --login-server=*) [ "${word#*=}" = "$server" ] || return 0 ;; esac
	done
	up $kept "$@"
}

change() {
	limit=$1 server=$2
	shift 2
	up "$@"
	case $said in *"changing settings via 'tailscale up'"*) again "$@" ;; esac
	key=$(cat "$folder/key" 2>/dev/null)
	mask "$key"
	# The id that error messages quote.
	case $key in
	tskey-*-*-*)
		key=${key#tskey-*-}
		mask "${key%%-*}"
		;;
	esac
	{
		echo "up=$status"
		printf '%s\n' "$said" |
			sed 's/tskey-[A-Za-z0-9_-]*/***/g; s/--auth-key=[^ ]*/--auth-key=***/g; s/^/said=/' |
			tail -n 15
	} >"$folder/said.new"
	mv "$folder/said.new" "$folder/said"
}

case $act in
done) [ -e "$folder/said" ] ;;
undo)
	forget
	timeout 20 tailscale down || ! timeout 10 tailscale status >/dev/null || exit 1
	rm -f "$folder/said"
	;;
forget) forget ;;
change)
	trap forget EXIT
	trap 'exit 143' HUP INT TERM
	shift 2
	change "$@"
	;;
esac
exit
