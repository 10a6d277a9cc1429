# Shows where the host sends what, by other ways than ours. Arguments: our interface.
{
	ip -o -4 route show table main && ip -o -6 route show table main
} | grep -v " dev $1 " | sed 's/^/route=/'
