# Says which parts of Docker are there.
for program in dockerd docker; do
	command -v "$program" >/dev/null && echo "program=$program"
done
[ -e /snap/bin/docker ] && echo snap=docker
dpkg-query -W -f 'package=${db:Status-Abbrev} ${Package}\n' \
	docker.io docker-cli containerd runc docker-ce docker-ce-cli containerd.io 2>/dev/null
exit 0
