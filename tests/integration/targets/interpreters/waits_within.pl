# WAIT: an IO::Select loop whose callback waits by IO::Select, too, as LWP and IO::Socket do.
# WAIT: none, select. Says "blocked PID MILLISECONDS".
use strict;
use warnings;
use IO::Select;
use Time::HiRes qw(time);

my ($wait) = @ARGV;
pipe(my $events, my $sender) or die;
pipe(my $answer, my $never) or die;

sub slow_lookup {
    my $begin = time;
    IO::Select->new($answer)->can_read(0.4);
    printf "blocked %d %.3f\n", $$, (time() - $begin) * 1000;
}

my $child = fork // die;
if ($child == 0) {
    for (1 .. 100) { select(undef, undef, undef, 0.02); syswrite($sender, "x") }
    exit 0;
}
close $sender;
my $loop = IO::Select->new($events);
for (my $tick = 0; ; ++$tick) {
    next unless $loop->can_read(1);
    last unless sysread($events, my $byte, 1);
    slow_lookup() if $tick == 60 && $wait eq "select";
}
waitpid($child, 0);
