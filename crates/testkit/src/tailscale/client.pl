#!/usr/bin/perl
# Stands in for the program `tailscale` in tests: the same words, statuses and documents, as far as they are
# recorded. Needs nothing but Debian's perl-base. What it asks the control server goes to the address in
# /etc/stand-in; STAND_IN_ROOT, if set, goes before every path.
use strict;
use warnings;
use Fcntl ':flock';
use IO::Socket::INET;
use IO::Socket::UNIX;

# Every sentence, with the section of the recorded facts it is in; a test looks each of them up.
my %says = (
	visit      => "To authenticate, visit:",                                               # 4.1
	late       => "timeout waiting for Tailscale service to enter a Running state; check health with \"tailscale status\"", # 4.1
	backend    => "backend error: %s",                                                     # 4.1
	denied     => "Access denied: ... Use 'sudo tailscale up'...",                         # 4.1
	daemon     => "failed to connect to local tailscaled; ...",                            # 4.1
	no_file    => "open %s: no such file or directory",                                    # 4.1
	label      => "%s is not a valid DNS label: ...",                                      # 4.1
	tag        => "tag: \"%s\": tags must start with 'tag:'",                              # 4.1
	mention    => "changing settings via 'tailscale up' requires mentioning all non-default flags...", # 4.1
	server     => "can't change --login-server without --force-reauth",                    # 4.1
	logged_out => "Logged out.",                                                           # 4.2
	stopped    => "Tailscale is stopped.",                                                 # 4.2
	approval   => "Machine is not yet approved by tailnet admin.",                         # 4.2
	no_address => "no current Tailscale IPs; state: %s",                                   # 4.2
);

my $root  = $ENV{STAND_IN_ROOT} // '';
my $state = "$root/var/lib/tailscale/state";
# What each setting is when nobody has set it. The first five are texts, the others switches.
my %default = (
	'hostname' => '', 'login-server' => '', 'advertise-tags' => '', 'advertise-routes' => '', 'operator' => '',
	'accept-dns' => 'true', 'accept-routes' => 'false', 'ssh' => 'false',
);
my @switches = ('accept-dns', 'accept-routes', 'ssh', 'reset', 'force-reauth', 'json');
my @texts    = ('hostname', 'login-server', 'advertise-tags', 'advertise-routes', 'operator', 'auth-key', 'timeout');

my $command = shift @ARGV // '';
my %run = (up => \&up, down => \&down, logout => \&logout, set => \&set, status => \&status, ip => \&ip);
exit 2 unless $run{$command};
connect_or_fail();
exit $run{$command}->(@ARGV);

sub complain {
	my ($sentence, @values) = @_;
	printf STDERR "$says{$sentence}\n", @values;
	return 1;
}

# The daemon holds the socket; without one the real client tries for about five seconds (4.1).
sub connect_or_fail {
	for (1 .. 10) {
		return if IO::Socket::UNIX->new(Peer => "$root/run/tailscale/tailscaled.sock");
		select undef, undef, undef, 0.5;
	}
	exit complain('daemon');
}

sub up {
	my %given = flags({ map { $_ => 1 } @texts, @switches }, @_);
	return complain('denied') if $> != 0 && $root eq '';
	my $key;
	if (defined $given{'auth-key'}) {
		$key = $given{'auth-key'};
		if ($key =~ s/^file://) {
			open my $file, '<', $key or return complain('no_file', $key);
			($key = join '', <$file>) =~ s/^\s+|\s+$//g;
		}
	}
	my $name = $given{'hostname'} // '';
	return complain('label', $name) if $name ne '' && $name !~ /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;
	for my $tag (split /,/, $given{'advertise-tags'} // '') {
		return complain('tag', $tag) if $tag !~ /^tag:/;
	}
	my %own = load();
	my %wanted = map { $_ => $given{$_} // $default{$_} } keys %default;
	if (!switched(\%given, 'reset')) {
		my @lost = grep { !exists $given{$_} && setting(\%own, $_) ne $default{$_} } sort keys %default;
		if (@lost) {
			my @words = map { "--$_=$given{$_}" } sort keys %given;
			push @words, map { $own{$_} eq 'true' ? "--$_" : "--$_=$own{$_}" } @lost;
			complain('mention');
			print STDERR "\n\ttailscale up @words\n\n";
			return 1;
		}
	}
	my $force = switched(\%given, 'force-reauth');
	my $backend = look(\%own);
	return complain('server')
		if $backend eq 'Running' && !$force && setting(\%own, 'login-server') ne $wanted{'login-server'};
	# A failed `up` has stored this already (4.1).
	change(sub { $_[0]{'login-server'} = $wanted{'login-server'} });
	my $until = seconds($given{'timeout'} // '0');
	$until += time if $until;
	if ($force || $backend eq 'NeedsLogin') {
		my $failed = log_in($key, \%wanted, $until);
		return $failed if defined $failed;
	} else {
		# A key is ignored and tags do not change (4.1).
		ask(2, 'rename', machine => $own{machine}, hostname => $wanted{hostname}) if $wanted{hostname} ne '';
		ask(2, 'alive', machine => $own{machine});
	}
	change(sub { my $own = shift; $own->{$_} = $wanted{$_} for keys %wanted; $own->{want} = 1; });
	while (1) {
		%own = load();
		return 0 if look(\%own) eq 'Running';
		return complain('late') if $until && time >= $until;
		select undef, undef, undef, 0.2;
	}
}

# Registers with the control server; the status to end with when that did not work.
sub log_in {
	my ($key, $wanted, $until) = @_;
	if (!defined $key) {
		complain('visit');
		print STDERR "\n\thttps://login.invalid/a/stand-in\n\n";
		while (!$until || time < $until) { select undef, undef, undef, 0.2 }
		return complain('late');
	}
	my %own = load();
	my $hostname = $wanted->{hostname} ne '' ? $wanted->{hostname} : machine_name();
	while (1) {
		my $patience = $until ? $until - time : 0;
		return complain('late') if $until && $patience <= 0;
		my ($said, @answer) = ask($patience, 'register', machine => $own{machine}, hostname => $hostname, key => $key,
			tags => $wanted->{'advertise-tags'}, server => $wanted->{'login-server'});
		if (!defined $said) { select undef, undef, undef, 0.2; next }
		return complain('backend', $1) if $said =~ /^error (.*)/;
		change(sub { my $own = shift; $own->{node} = 1; $own->{want} = 1; });
		return undef;
	}
}

sub down {
	change(sub { $_[0]{want} = 0 });
	my %own = load();
	ask(2, 'down', machine => $own{machine});
	return 0;
}

sub logout {
	my %own = load();
	ask(2, 'logout', machine => $own{machine});
	change(sub { my $own = shift; delete $own->{$_} for 'node', grep { /^seen\./ } keys %$own; $own->{want} = 0; });
	return 0;
}

# Never touches other settings (4.1).
sub set {
	my %given = flags({ map { $_ => 1 } 'hostname', 'accept-dns', 'accept-routes', 'ssh', 'advertise-routes', 'operator' }, @_);
	my $name = $given{hostname};
	return complain('label', $name) if ($name // '') ne '' && $name !~ /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;
	change(sub { my $own = shift; $own->{$_} = $given{$_} for keys %given });
	my %own = load();
	ask(2, 'rename', machine => $own{machine}, hostname => $name) if defined $name && $own{node};
	return 0;
}

sub status {
	my %given = flags({ json => 1 }, @_);
	my %own = load();
	my $backend = look(\%own);
	if (switched(\%given, 'json')) {
		print document($backend, \%own);
		return 0;
	}
	if ($backend eq 'Running') {
		for my $node (own(\%own), peers(\%own)) { print "$node->{ip} $node->{name}\n" }
		return 0;
	}
	my %sentence = (NeedsLogin => 'logged_out', Stopped => 'stopped', NeedsMachineAuth => 'approval');
	print "$says{$sentence{$backend}}\n" if $sentence{$backend};
	return 1;
}

sub ip {
	my %own = load();
	my $backend = look(\%own);
	return complain('no_address', $backend) if $backend ne 'Running';
	print "$own{'seen.ip'}\n";
	return 0;
}

# What the daemon is doing, with what the control server says of it put into the state given.
sub look {
	my ($own) = @_;
	if (open my $file, '<', "$root/var/lib/tailscale/pretended-state") {
		chomp(my $pretended = <$file>);
		return $pretended;
	}
	return 'NeedsLogin' if !$own->{node};
	my ($said, @answer) = ask(2, 'look', machine => $own->{machine});
	if (defined $said) {
		delete $own->{$_} for grep { /^seen\./ } keys %$own;
		my $peers = 0;
		for (@answer) {
			my ($name, $value) = split /=/, $_, 2;
			$name = 'peer.' . $peers++ if $name eq 'peer';
			$own->{"seen.$name"} = $value;
		}
		my %seen = map { $_ => $own->{$_} } grep { /^seen\./ } keys %$own;
		change(sub { my $kept = shift; delete $kept->{$_} for grep { /^seen\./ } keys %$kept; %$kept = (%$kept, %seen) });
		return 'NeedsLogin' if $said ne 'ok';
	}
	return 'NeedsLogin' if ($own->{'seen.expired'} // 0);
	return 'Stopped' if !$own->{want};
	return 'NeedsMachineAuth' if !($own->{'seen.approved'} // 1);
	return 'Running';
}

# `status --json` (4.2): names end with a dot, absent tags and dates are not there at all.
sub document {
	my ($backend, $own) = @_;
	my $known = $own->{node} && defined $own->{'seen.name'};
	my @lines = (
		'  "Version": "1.82.0-t0123456-g789abcdef"', '  "TUN": true', "  \"BackendState\": \"$backend\"",
		'  "TailscaleIPs": ' . ($known ? "[\n    \"$own->{'seen.ip'}\"\n  ]" : 'null'),
		'  "Self": ' . node($known ? own($own) : { hostname => setting($own, 'hostname') || machine_name(), name => '', online => 0 }),
		'  "Health": []',
		'  "MagicDNSSuffix": ' . quoted($known ? $own->{'seen.suffix'} : ''),
	);
	push @lines, '  "CurrentTailnet": ' . ($known
		? "{\n    \"Name\": " . quoted($own->{'seen.tailnet'}) . ",\n    \"MagicDNSSuffix\": "
			. quoted($own->{'seen.suffix'}) . ",\n    \"MagicDNSEnabled\": true\n  }"
		: 'null');
	my @peers = $known ? peers($own) : ();
	push @lines, '  "Peer": ' . (@peers
		? "{\n" . join(",\n", map { '    ' . quoted("nodekey:$_->{name}") . ': ' . node($_) } @peers) . "\n  }"
		: 'null');
	return "{\n" . join(",\n", @lines) . "\n}\n";
}

sub node {
	my ($node) = @_;
	my @lines = ('    "HostName": ' . quoted($node->{hostname}), '    "DNSName": ' . quoted($node->{name}));
	my @tags = split /,/, $node->{tags} // '';
	push @lines, '    "Tags": [' . join(', ', map { quoted($_) } @tags) . ']' if @tags;
	push @lines, '    "TailscaleIPs": ' . ($node->{ip} ? '[' . quoted($node->{ip}) . ']' : 'null');
	push @lines, '    "Online": ' . ($node->{online} ? 'true' : 'false');
	push @lines, '    "KeyExpiry": ' . quoted($node->{expiry}) if $node->{expiry};
	return "{\n" . join(",\n", @lines) . "\n  }";
}

sub own {
	my ($own) = @_;
	return {
		hostname => $own->{'seen.hostname'}, name => "$own->{'seen.name'}.$own->{'seen.suffix'}.", ip => $own->{'seen.ip'},
		tags => $own->{'seen.tags'}, online => $own->{want}, expiry => $own->{'seen.expiry'},
	};
}

sub peers {
	my ($own) = @_;
	return map {
		my ($name, $hostname, $ip, $online, $tags) = split /\t/, $own->{$_}, -1;
		{ name => "$name.$own->{'seen.suffix'}.", hostname => $hostname, ip => $ip, online => $online, tags => $tags };
	} sort grep { /^seen\.peer\./ } keys %$own;
}

sub machine_name { open my $file, '<', '/proc/sys/kernel/hostname' or return ''; chomp(my $name = <$file>); return $name }
sub quoted { my ($text) = @_; $text =~ s/(["\\])/\\$1/g; return "\"$text\"" }
sub setting { my ($own, $name) = @_; return $own->{$name} // $default{$name} }
sub switched { my ($given, $name) = @_; return ($given->{$name} // 'false') eq 'true' }

# Arguments as the real client reads them; an unknown one ends it with status 2 (4.1).
sub flags {
	my ($known, @words) = @_;
	my %given;
	my %is_switch = map { $_ => 1 } @switches;
	while (defined(my $word = shift @words)) {
		last if $command eq 'ip';
		my ($name, $value) = $word =~ /^--?([a-z-]+)(?:=(.*))?$/s or exit 2;
		exit 2 if !$known->{$name};
		$value = $is_switch{$name} ? 'true' : shift @words // exit 2 if !defined $value;
		$given{$name} = $value;
	}
	return %given;
}

# A length of time such as `60s` or `1m30s`, in whole seconds; 0 is for ever (4.1).
sub seconds {
	my ($text) = @_;
	my ($total, %unit) = (0, h => 3600, m => 60, s => 1);
	$total += $1 * $unit{$2} while $text =~ /([0-9.]+)([hms])/g;
	return $total;
}

# One question to the control server, with its answer by lines; nothing when it did not answer in time.
sub ask {
	my ($patience, $verb, %fields) = @_;
	my @answer;
	eval {
		local $SIG{ALRM} = sub { die "late\n" };
		alarm $patience;
		open my $file, '<', "$root/etc/stand-in" or die "nobody to ask\n";
		chomp(my $address = <$file>);
		my $socket = IO::Socket::INET->new(PeerAddr => $address) or die "nobody there\n";
		print $socket join('', "$verb\n", map({ "$_=$fields{$_}\n" } sort keys %fields), "\n");
		@answer = <$socket>;
		alarm 0;
	};
	alarm 0;
	chomp @answer;
	return @answer;
}

sub load {
	my %own;
	if (open my $file, '<', $state) {
		while (<$file>) { chomp; my ($name, $value) = split /=/, $_, 2; $own{$name} = $value }
	}
	return %own;
}

sub change {
	my ($edit) = @_;
	open my $lock, '>', "$state.lock" or die "$state.lock: $!";
	flock $lock, LOCK_EX;
	my %own = load();
	$edit->(\%own);
	open my $file, '>', "$state.new" or die "$state.new: $!";
	print $file map { "$_=$own{$_}\n" } sort keys %own;
	close $file;
	rename "$state.new", $state;
}
