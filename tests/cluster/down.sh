# Ends the cluster: programs, images and logs stay, the rest goes. Sourced by `cluster`.

other=$(owner)
if [ -n "$other" ] && [ "$other" != "$home" ]; then
	say "nothing of $home is up; that is the cluster of $other"
	exit 0
fi

# The kubelet first, or it would start again what is ended next.
stop kubelet
if alive containerd; then
	mapfile -t tasks < <(containers tasks ls -q 2>/dev/null)
	[ ${#tasks[@]} = 0 ] || containers tasks delete -f "${tasks[@]}" >/dev/null 2>&1 || true
	mapfile -t tasks < <(containers containers ls -q 2>/dev/null)
	[ ${#tasks[@]} = 0 ] || containers containers delete "${tasks[@]}" >/dev/null 2>&1 || true
fi
mapfile -t daemons < <(ls "$pids" 2>/dev/null)
[ ${#daemons[@]} = 0 ] || stop "${daemons[@]}"
[ ! -e "$run/sysctl" ] || sysctl -qp "$run/sysctl"

# Deepest first: volumes of pods, roots of containers, network namespaces.
awk -v a="$state/" -v b="$run/" 'index($2, a) == 1 || index($2, b) == 1 { print $2 }' /proc/mounts | sort -r |
	while read -r mounted; do umount -l "$mounted" || true; done
[ ! -e "/run/netns/$netns" ] || ip netns del $netns
rm -rf "$run" "$state" "$pki" "$kubeconfig" "$home/level"
for group in /sys/fs/cgroup/lateen-test /sys/fs/cgroup/*/lateen-test; do
	[ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
done
say "down"
