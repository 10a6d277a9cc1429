patiently dpkg --force-confdef --force-confold --configure -a
fix=--fix-broken
install
