"""Data bases, name servers, brokers, tools; and clients that run event loops themselves."""

from programs.program import (Program, backend_nginx, for_a_while, talk, wrk)

# "example.test A?"
QUESTION = bytes.fromhex("123401000001000000000000076578616d706c6504746573740000010001")


def redis(room, *options, port=None):
    return ["redis-server", "--port", str(port or room.port), "--bind", "127.0.0.1", "--dir",
            room.directory, "--save", "", "--loglevel", "warning", *options]


def redis_benchmark(room, *options, port=None):
    return for_a_while(room, "redis-benchmark", "-q", "-l", "-p", str(port or room.port), "-c", "20",
                       "-t", "set,get", "-n", "50000", *options)


def dnsmasq(room):
    return ["dnsmasq", "-k", "-C", "/dev/null", "-p", str(room.port), "--listen-address=127.0.0.1",
            "--bind-interfaces", "--no-resolv", "--no-hosts", "--user=root",
            "--address=/example.test/192.0.2.1", f"--pid-file={room.path('pid')}"]


def unbound(room):
    config = room.write("unbound.conf", f"""
server:
  interface: 127.0.0.1@{room.port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{room.directory}"
  pidfile: "{room.path('pid')}"
  use-syslog: no
  logfile: "{room.path('log')}"
  local-zone: "test." static
  local-data: "example.test. A 192.0.2.1"
remote-control:
  control-enable: no
""")
    return ["unbound", "-d", "-c", config]


def nsd(room):
    room.write("zone", "$ORIGIN test.\n@ 60 SOA ns hostmaster 1 60 60 60 60\n@ 60 NS ns\n"
               "ns 60 A 192.0.2.1\nexample 60 A 192.0.2.1\n")
    config = room.write("nsd.conf", f"""
server:
  ip-address: 127.0.0.1@{room.port}
  username: ""
  zonesdir: "{room.directory}"
  pidfile: "{room.path('pid')}"
  rrl-ratelimit: 0
  zonelistfile: "{room.path('zones')}"
  xfrdfile: "{room.path('xfrd')}"
  xfrdir: "{room.directory}"
remote-control:
  control-enable: no
zone:
  name: "test"
  zonefile: "zone"
""")
    return ["nsd", "-d", "-c", config]


def mosquitto(room):
    config = room.write("mosquitto.conf", f"""
listener {room.port} 127.0.0.1
allow_anonymous true
user root
""")
    return ["mosquitto", "-c", config]


def mqtt_pings(room):
    # CONNECT with an empty client id and a clean session; then PINGREQ.
    return talk(room, bytes.fromhex("c000"), "--reply", "2", "--hello",
                "100c00044d5154540402003c0000", "--hello-reply", "4")


def nutcracker(room):
    config = room.write("nutcracker.yml", f"""
all:
  listen: 127.0.0.1:{room.port}
  hash: fnv1a_64
  distribution: ketama
  redis: true
  servers:
   - 127.0.0.1:{room.backend}:1
""")
    return ["nutcracker", "-c", config, "-s", str(room.port + 1 if room.port < 65535 else 1024),
            "-p", room.path("pid")]


def tmux(room, *command):
    return ["tmux", "-S", room.path("tmux"), "-f", "/dev/null", *command]


def tmux_load(room):
    script = ('end=$(($(date +%s) + $1)); shift; "$@" new-session -d "while :; do seq 500; '
              'sleep 0.05; done"; while [ $(date +%s) -lt $end ]; do "$@" list-sessions; '
              '"$@" send-keys x; done >/dev/null')
    return ["/bin/sh", "-c", script, "sh", str(max(int(room.seconds), 1)), *tmux(room)]


def curl(room):
    script = ('end=$(($(date +%s) + $1)); url="http://127.0.0.1:$2/?[1-2000]"; '
              'while [ $(date +%s) -lt $end ]; do curl -s -Z --parallel-max 20 -o /dev/null "$url"; '
              'done')
    return ["/bin/sh", "-c", script, "sh", str(max(int(room.seconds), 1)), str(room.backend)]



ECHO_LINES = ("hello\n", "--line")
LINES = "8 connections that send lines"
QUESTIONS = "8 clients that ask for an address"

PROGRAMS = [
    Program("redis-server", ["redis-server", "redis-benchmark"], ["redis-server", "--version"],
            redis, lambda room: [redis_benchmark(room)], "redis-benchmark, 20 connections"),
    Program("redis-server (append-only file)", ["redis-server", "redis-benchmark"],
            ["redis-server", "--version"],
            lambda room: redis(room, "--appendonly", "yes", "--appendfsync", "everysec"),
            lambda room: [redis_benchmark(room)], "redis-benchmark, 20 connections"),
    Program("redis-server (pipelines)", ["redis-server", "redis-benchmark"],
            ["redis-server", "--version"], redis,
            lambda room: [redis_benchmark(room, "-P", "16")],
            "redis-benchmark, 20 connections, 16 requests at once"),
    Program("redis-benchmark", ["redis-server", "redis-benchmark"],
            ["redis-benchmark", "--version"],
            lambda room: redis_benchmark(room, port=room.backend), lambda room: [],
            "itself, on a redis-server", lambda room: [redis(room, port=room.backend)],
            is_client=True),
    Program("wrk", ["nginx", "wrk"], ["wrk", "-v"],
            lambda room: wrk(room)[:-1] + [f"http://127.0.0.1:{room.backend}/"], lambda room: [],
            "itself, on an nginx", lambda room: [backend_nginx(room)], is_client=True),
    Program("curl (parallel)", ["nginx", "curl"], ["curl", "--version"], curl, lambda room: [],
            "itself, 20 transfers at once from an nginx", lambda room: [backend_nginx(room)],
            is_client=True),
    Program("memcached", ["memcached"], ["memcached", "--version"],
            lambda room: ["memcached", "-l", "127.0.0.1", "-p", str(room.port), "-u", "root"],
            lambda room: [talk(room, "set k 0 0 5\r\nhello\r\n", "--line")],
            "8 connections that set"),
    Program("mosquitto", ["mosquitto"], ["mosquitto", "-h"], mosquitto,
            lambda room: [mqtt_pings(room)], "8 connections that ping"),
    Program("dnsmasq", ["dnsmasq"], ["dnsmasq", "--version"], dnsmasq,
            lambda room: [talk(room, QUESTION, "--udp")], QUESTIONS, is_udp=True),
    Program("unbound", ["unbound"], ["unbound", "-V"], unbound,
            lambda room: [talk(room, QUESTION, "--udp")], QUESTIONS, is_udp=True),
    Program("nsd", ["nsd"], ["nsd", "-v"], nsd,
            lambda room: [talk(room, QUESTION, "--udp")], QUESTIONS, is_udp=True),
    Program("beanstalkd", ["beanstalkd"], ["beanstalkd", "-v"],
            lambda room: ["beanstalkd", "-l", "127.0.0.1", "-p", str(room.port)],
            lambda room: [talk(room, "peek 999\r\n", "--line")], "8 connections that peek"),
    Program("nutcracker", ["nutcracker", "redis-server", "redis-benchmark"],
            ["nutcracker", "--version"], nutcracker, lambda room: [redis_benchmark(room)],
            "redis-benchmark, 20 connections", lambda room: [redis(room, port=room.backend)]),
    Program("socat", ["socat"], ["socat", "-V"],
            lambda room: ["socat", f"TCP-LISTEN:{room.port},bind=127.0.0.1,fork,reuseaddr",
                          f"TCP:127.0.0.1:{room.backend}"],
            lambda room: [talk(room, *ECHO_LINES)], LINES,
            lambda room: [["memcached", "-l", "127.0.0.1", "-p", str(room.backend), "-u", "root"]]),
    Program("iperf3", ["iperf3"], ["iperf3", "--version"],
            lambda room: ["iperf3", "-s", "-B", "127.0.0.1", "-p", str(room.port)],
            lambda room: [["iperf3", "-c", "127.0.0.1", "-p", str(room.port), "-b", "200M", "-t",
                           str(max(int(room.seconds), 1))]],
            "iperf3 -c, 200 Mbit/s"),
    Program("tmux", ["tmux"], ["tmux", "-V"], lambda room: tmux(room, "-D"),
            lambda room: [tmux_load(room)], "output, keys and commands", is_udp=True),
]
