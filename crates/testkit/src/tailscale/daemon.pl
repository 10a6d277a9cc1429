#!/usr/bin/perl
# Stands in for the program `tailscaled` in tests: it is there to be connected to, remembers which machine
# it is, and tells the control server every second that it is up.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;

my $root = $ENV{STAND_IN_ROOT} // '';
my $state = "$root/var/lib/tailscale/state";
my $path = "$root/run/tailscale/tailscaled.sock";
for my $folder ("$root/run/tailscale", "$root/var/lib/tailscale") {
	system 'mkdir', '-p', $folder;
}
if (!-s $state) {
	open my $random, '<', '/proc/sys/kernel/random/uuid' or die $!;
	chomp(my $machine = <$random>);
	open my $file, '>', $state or die "$state: $!";
	print $file "machine=$machine\n";
	close $file;
}
unlink $path;
my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 16) or die "$path: $!";
$SIG{TERM} = $SIG{INT} = sub { unlink $path; exit 0 };
$SIG{PIPE} = 'IGNORE';
my $select = IO::Select->new($listener);
my $told = 0;
while (1) {
	$listener->accept if $select->can_read(0.5);
	next if time == $told;
	$told = time;
	tell_control();
}

sub tell_control {
	open my $file, '<', $state or return;
	my %own = map { chomp; split /=/, $_, 2 } <$file>;
	return if !$own{node} || !$own{want};
	open $file, '<', "$root/etc/stand-in" or return;
	chomp(my $address = <$file>);
	eval {
		local $SIG{ALRM} = sub { die "late\n" };
		alarm 1;
		my $socket = IO::Socket::INET->new(PeerAddr => $address) or die "nobody there\n";
		print $socket "alive\nmachine=$own{machine}\n\n";
		my @answer = <$socket>;
		alarm 0;
	};
	alarm 0;
}
