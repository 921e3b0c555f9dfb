#!/bin/bash
# Health check of a container: healthcheck <port> [path]. Succeeds if the daemon in it answers 200.
# bash speaks TCP by itself, so the images need no HTTP client, and with it nothing to keep up to date.
set -euo pipefail
port=${1:?usage: healthcheck <port> [path]}
path=${2:-/-/healthy}
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$path" >&3
IFS=' ' read -r -t 4 _ status _ <&3
[[ $status == 200 ]]
