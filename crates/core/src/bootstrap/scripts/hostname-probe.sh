# Prints all that says what the host is called. Arguments: cloud-init's file of ours.
printf 'static=%s\ncurrent=%s\n' "$(cat /etc/hostname)" "$(uname -n)"
sed -n 's/^127\./hosts=&/p' /etc/hosts
[ -d "${1%/*}" ] || exit 0
echo cloud-init=yes
[ ! -e "$1" ] || sed 's/^/ours=/' "$1"
