# Threads of Ruby that sleep between jobs, some of which are long: no loop.
def work(seconds)
  ended = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
  nil while Process.clock_gettime(Process::CLOCK_MONOTONIC) < ended
end

waiter = Thread.new { loop { sleep 0.05 } }
100.times do |job|
  sleep 0.02
  work 0.2 if job % 40 == 39
end
waiter.kill
