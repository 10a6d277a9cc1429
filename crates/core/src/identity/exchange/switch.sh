# Makes sshd present the host's own key, or the one-time key again: done|change|undo|forget OWN.
set -eu
umask 077
act=$1 own=$2
key=/etc/ssh/ssh_host_ed25519_key

is() { [ "$(ssh-keygen -y -f "$1" 2>/dev/null | cut -d ' ' -f 1,2)" = "$own" ]; }
use() {
    ssh-keygen -y -f "$1" >"$key.pub.part"
    chmod 644 "$key.pub.part"
    mv -f "$1" "$key"
    mv -f "$key.pub.part" "$key.pub"
    if [ -d /run/systemd/system ]; then
        systemctl reload ssh.service || systemctl restart ssh.service
    else
        kill -HUP "$(cat /run/sshd.pid)"
    fi
}

case $act in
done) is "$key" ;;
change)
    is "$key.next" || { echo "the host's own key is not there" >&2; exit 1; }
    cp -p "$key" "$key.first"
    cp -p "$key.next" "$key.part"
    use "$key.part"
    ;;
undo)
    [ -s "$key.first" ] || exit 0
    cp -p "$key.first" "$key.part"
    use "$key.part"
    ;;
forget) if is "$key"; then rm -f "$key.next" "$key.first"; fi ;;
esac
