#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Proves that the core is pure and that dependencies point one way (HACKING.md, "Folders").  Reads the symbols
# that libmcbgp_core.a leaves for others to define, and the #include lines of src/.  Speaks TAP.
# Usage: pure.sh, in the build directory; top_srcdir and NM come from the environment.
src=${top_srcdir:-.}/src
lib=src/libmcbgp_core.a
n=0

# verdict NAME OFFENDERS: a test passes when nothing offends
verdict() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
	fi
}

# includes FOLDER PATTERN: lines of the folder's sources that include what matches
includes() {
	find "$src/$1" -name '*.[ch]' -exec grep -HnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" {} + 2>/dev/null
}

undefined=$("${NM:-nm}" -u "$lib" 2>/dev/null | awk '$1 == "U" { print $2 }' | sort -u)

verdict "core calls no socket, file, or process" "$(printf '%s\n' "$undefined" | grep -xE \
	'(socket(pair)?|connect|bind|listen|accept4?|send(to|msg|mmsg)?|recv(from|msg|mmsg)?|[gs]etsockopt|open(at)?(64)?|fopen(64)?|f?read|p?read(v|64)?|f?write|p?write(v|64)?|close|ioctl|fcntl(64)?|select|p?poll|epoll_.*|unlink|system|popen|fork|exec.*|getenv|v?syslog|v?f?printf|(__)?v?f?printf_chk|puts|fputs|fputc|putchar|stdout|stderr|stdin|perror|exit|_exit)')"
verdict "core reads no clock, makes no randomness" "$(printf '%s\n' "$undefined" | grep -xE \
	'(time|gettimeofday|clock|clock_.*|localtime(_r)?|gmtime(_r)?|nanosleep|u?sleep|timer.*|rand(_r|om)?|srand(om)?|[dejlmn]rand48|arc4random.*|getrandom|getentropy)')"
verdict "core uses no library of the edges" "$(printf '%s\n' "$undefined" | grep -E \
	'^(ev_|mnl_|nl_|nla_|nlmsg_|genl|rtnl_|config_|json_|el_|history|sd_|MHD_|sodium_|crypto_)')"

io='ev\.h|libmnl|netlink|linux/|libconfig|jansson|histedit|editline|systemd|microhttpd|sodium|sys/epoll|sys/un|sys/ioctl|sys/select|sys/time|sys/timerfd|net/if|poll|fcntl|unistd|time\.h|signal'
edges='io|netlink|tunnel|config|ctl|metrics|daemon|cli'
bad=
for folder in lib bgp policy rib bfd; do
	[ -d "$src/$folder" ] || continue
	bad="$bad$(includes $folder "$io|($edges)/|mcbgp/ctl\.h")"
done
verdict "core includes no header of the system's I/O or of an edge" "$bad"

verdict "lib <- bgp <- policy <- rib, lib <- bfd" "$(
	includes lib '(bgp|policy|rib|bfd)/|mcbgp/'
	includes bgp '(policy|rib|bfd)/'
	includes policy '(rib|bfd)/'
	includes rib 'bfd/'
	includes bfd '(bgp|policy|rib)/')"

bad=
for folder in io netlink tunnel config ctl metrics cli; do
	[ -d "$src/$folder" ] || continue
	others=$(echo "$edges" | tr '|' '\n' | grep -vx "$folder" | paste -sd'|')
	bad="$bad$(includes $folder "($others)/" | grep -vE '<netlink|"(config/conf|config/diff|io/loop)\.h"')"
done
verdict "edges do not include each other, but for config/conf.h, config/diff.h and io/loop.h" "$bad"

verdict "only src/io includes ev.h, only src/netlink and src/tunnel talk netlink" "$(
	for folder in netlink tunnel config ctl cli; do includes $folder 'ev\.h'; done
	for folder in io config ctl cli; do includes $folder 'libmnl|netlink/'; done)"

echo "1..$n"
