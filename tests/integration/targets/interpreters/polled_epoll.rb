# EventMachine with EM.epoll, which polls its epoll descriptor: a server and a client that has long
# pauses. MODE: healthy; sleep: a callback sleeps once, and says "blocked PID MILLISECONDS".
require 'eventmachine'
require 'socket'

def slow_lookup
  begun = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  sleep 0.4
  ended = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  puts "blocked #{Process.pid} #{(ended - begun) * 1000}"
end

module Echo
  def receive_data(data) = send_data(data)
end

module Client
  def post_init
    @answers = 0
    send_data 'x'
  end

  def receive_data(data)
    @answers += 1
    slow_lookup if @answers == 60 && ARGV[0] == 'sleep'
    return EM.stop if @answers == 80
    EM.add_timer(@answers % 20 == 19 ? 0.3 : 0.01) { send_data data }
  end
end

EM.epoll
EM.run do
  server = EM.start_server('127.0.0.1', 0, Echo)
  EM.connect('127.0.0.1', Socket.unpack_sockaddr_in(EM.get_sockname(server))[0], Client)
end
