# Shared by `cluster` and its parts; sourced, not run.
: "${LATEEN_CLUSTER_HOME:=${XDG_CACHE_HOME:-$HOME/.cache}/lateen-cluster}"
: "${LATEEN_CLUSTER_API_PORT:=26443}" "${LATEEN_CLUSTER_KFP_PORT:=28888}" "${LATEEN_CLUSTER_S3_PORT:=29000}"
home=$LATEEN_CLUSTER_HOME
bin=$home/bin       # what `build` makes; stays
images=$home/images # archives of images; stay
pki=$home/pki       # keys and tokens of the cluster that is up
conf=$home/conf
logs=$home/log
pids=$home/pid
kubeconfig=$home/kubeconfig
run=/run/lateen-test     # sockets and mounts
state=/var/lib/lateen-test # etcd, kubelet, database: `down` throws them away
netns=lateen-test
inside=(nsenter "--net=/run/netns/$netns") # `ip netns exec` would hide the kubelet's mounts from containerd
api_ip=10.96.0.1 dns_ip=10.96.0.10 node_ip=10.100.0.1
kfp_token=/var/run/secrets/kubeflow/tokens/persistenceagent-sa-token # Kubeflow's agent looks nowhere else; any text will do, and it stays
CANNOT=77
export PATH="$bin:$PATH:/usr/local/go/bin:/usr/sbin:/sbin"

said_at=$(date +%s)
say() {
	printf '%4ds  %s\n' $(($(date +%s) - said_at)) "$*"
}

# Something broke: a failure of whoever asked.
broken() {
	printf 'cluster: %s\n' "$*" >&2
	exit 1
}

# It cannot be had on this machine: tests are skipped, with this reason.
cannot() {
	printf 'cluster: %s\n' "$*" >&2
	exit $CANNOT
}

# Who is up: the namespace, sockets and mounts of a cluster are in one place, whatever its home.
owner() {
	cat "$run/home" 2>/dev/null || true
}

need_root() {
	[ "$(id -u)" = 0 ] || cannot "a cluster needs root"
}

# The start time of a process: a number alone may have been given to another one since.
started_at() {
	{ sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20; } 2>/dev/null || true
}

alive() { # NAME
	local pid at
	[ -f "$pids/$1" ] && read -r pid at <"$pids/$1" && [ -n "$at" ] && [ "$(started_at "$pid")" = "$at" ]
}

start() { # NAME COMMAND…: a daemon, where it does not run already
	local name=$1 pid
	shift
	! alive "$name" || return 0
	setsid "$@" </dev/null >"$logs/$name.log" 2>&1 &
	pid=$!
	disown
	printf '%s %s\n' "$pid" "$(started_at $pid)" >"$pids/$name"
}

stop() { # NAME…: asks all of them, and kills who is still there after 3 s
	local name pid at tries
	for name; do
		! alive "$name" || { read -r pid at <"$pids/$name" && kill "$pid" 2>/dev/null; } || true
	done
	for name; do
		for ((tries = 0; tries < 30; tries++)); do
			alive "$name" || break
			sleep 0.1
		done
		! alive "$name" || { read -r pid at <"$pids/$name" && kill -KILL "$pid" 2>/dev/null; } || true
		rm -f "$pids/$name"
	done
}

wait_for() { # SECONDS DAEMON COMMAND…: until the command succeeds
	local end=$((SECONDS + $1)) name=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		if ! alive "$name" || [ $SECONDS -ge $end ]; then
			tail -n 15 "$logs/$name.log" >&2
			alive "$name" || broken "$name has ended (its log is $logs/$name.log)"
			broken "$name is not ready in time (its log is $logs/$name.log)"
		fi
		sleep 0.1
	done
}

kube() {
	kubectl --kubeconfig "$kubeconfig" "$@"
}

containers() {
	ctr -a "$run/containerd.sock" -n k8s.io "$@"
}

load_images() { # those that containerd has not seen yet
	local archive
	for archive in "$images"/*.tar; do
		[ ! -e "$archive" ] || [ "$archive.loaded" -nt "$archive" ] || {
			containers images import "$archive" >/dev/null
			touch "$archive.loaded"
		}
	done
}
