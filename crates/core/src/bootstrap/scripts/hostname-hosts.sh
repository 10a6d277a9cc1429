# Makes the line of 127.0.1.1, which is the hostname's, hold the name and nothing else: the name
# the host had before may belong to another host now. Arguments: the name.
exec 2>&1
set -eu
touch /etc/hosts
awk -v name="$1" '
	$1 == "127.0.1.1" { if (!done++) print $1, name; next }
	{ print }
	END { if (!done) print "127.0.1.1", name }
' /etc/hosts >/etc/hosts.new
chmod 644 /etc/hosts.new
# In a container the file can be a mount, which cannot be replaced.
mv /etc/hosts.new /etc/hosts 2>/dev/null || {
	cat /etc/hosts.new >/etc/hosts
	rm /etc/hosts.new
}
