# Runs read-only probes one after another. Arguments: the seconds that one may take, the seconds after which
# no further one is begun, what marks the beginnings and the ends of their answers, and the probes as
# lines of shell.
most=$1 budget=$2 mark=$3
shift 3
# Not by the clock: a host that has just booted may set it meanwhile.
read -r up _ </proc/uptime
end=$((${up%.*} + budget))
index=0
for probe do
	read -r up _ </proc/uptime
	if [ "${up%.*}" -ge "$end" ]; then
		printf '%s late %d\n' "$mark" "$index"
		break
	fi
	printf '%s begin %d\n' "$mark" "$index"
	eval "timeout -k 2 $most $probe" </dev/null 2>&1
	printf '\n%s end %d %d\n' "$mark" "$index" $?
	index=$((index + 1))
done
