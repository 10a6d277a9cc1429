# Makes sshd present the host's own key, or the one-time key again: done|change|undo|forget OWN.
set -eu
umask 077
act=$1 own=$2
key=/etc/ssh/ssh_host_ed25519_key

is() { [ "$(ssh-keygen -y -f "$1" 2>/dev/null | cut -d ' ' -f 1,2)" = "$own" ]; }
use() {
    cp -p "$1" "$key.part"
    ssh-keygen -y -f "$key.part" >"$key.pub.part"
    chmod 644 "$key.pub.part"
    sync "$key.part" "$key.pub.part"
    mv -f "$key.part" "$key"
    mv -f "$key.pub.part" "$key.pub"
    sync /etc/ssh
    # Not a reload: started by a socket, sshd may not get that back. Connections outlive a restart.
    sshd -t
    systemctl restart ssh.service
}

case $act in
done) is "$key" ;;
change)
    is "$key.next" || { echo "the host's own key is not there" >&2; exit 1; }
    cp -p "$key" "$key.first"
    use "$key.next"
    ;;
undo) if [ -s "$key.first" ]; then use "$key.first"; fi ;;
forget) if is "$key"; then rm -f "$key.next" "$key.first"; fi ;;
esac
