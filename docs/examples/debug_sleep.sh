#!/bin/sh
# The client of README.md's example: makes the server sleep for 0.4 s, and ends it.
ask="redis-cli -p 7399"
until $ask ping >/dev/null 2>&1; do sleep 0.1; done
for _ in 1 2 3 4 5; do $ask get price >/dev/null; done
$ask debug sleep 0.4 >/dev/null &
sleep 0.1
$ask get price >/dev/null
wait
$ask shutdown nosave >/dev/null 2>&1
