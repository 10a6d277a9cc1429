# Installs packages, or a newer version of them. Arguments: the packages.
update
install "$@"
