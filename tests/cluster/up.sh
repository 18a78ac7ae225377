# Starts what is missing up to a level and waits until it answers. Sourced by `cluster`.
up_level=${1#t}
needed=(etcd kube-apiserver)
[ "$up_level" -lt 1 ] || needed+=(kube-controller-manager kube-scheduler workflow-controller)
[ "$up_level" -lt 2 ] || needed+=(kubelet argoexec)
for program in "${needed[@]}"; do
	[ -x "$bin/$program" ] || broken "$program is not built: cluster build t$up_level"
done
other=$(owner)
[ -z "$other" ] || [ "$other" = "$home" ] || cannot "the cluster of $other is up on this machine"
mkdir -p "$pki" "$conf/cni" "$logs" "$pids" "$images" "$run" "$state"

printf '%s\n' "$home" >"$run/home"

fill() { # TEMPLATE FILE
	sed "s|@HOME@|$home|g; s|@RUN@|$run|g; s|@CONF@|$conf|g; s|@STATE@|$state|g" "$here/conf/$1" >"$2"
}

make_kubeconfig() { # FILE USER TOKEN SERVER
	(
		umask 077
		cat >"$1" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: lateen-test, cluster: {server: "$4", certificate-authority-data: $(base64 -w0 <"$pki/ca.crt")}}]
users: [{name: $2, user: {token: $3}}]
contexts: [{name: lateen-test, context: {cluster: lateen-test, user: $2, namespace: argo}}]
current-context: lateen-test
YAML
	)
}

make_keys() {
	local curve=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes) admin node names
	admin=$(openssl rand -hex 16) node=$(openssl rand -hex 16)
	names=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
	names+=,IP:127.0.0.1,IP:$api_ip,IP:$node_ip
	(
		umask 077
		cd "$pki"
		openssl req -x509 "${curve[@]}" -keyout ca.key -out ca.crt -days 30 -subj /CN=lateen-test
		openssl req "${curve[@]}" -keyout api.key -out api.csr -subj /CN=kube-apiserver
		openssl x509 -req -in api.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out api.crt \
			-extfile <(printf 'subjectAltName=%s\n' "$names")
		openssl ecparam -name prime256v1 -genkey -noout -out accounts.key
		openssl ec -in accounts.key -pubout -out accounts.pub
		printf '%s\n' "$admin,admin,1,system:masters" "$node,system:node:node1,2,system:nodes" >tokens.csv
	) 2>"$logs/keys.log"
	make_kubeconfig "$pki/admin.conf" admin "$admin" https://127.0.0.1:443
	make_kubeconfig "$pki/node.conf" node1 "$node" https://127.0.0.1:443
	make_kubeconfig "$kubeconfig" admin "$admin" "https://127.0.0.1:$LATEEN_CLUSTER_API_PORT"
}

make_network() {
	[ ! -e "/run/netns/$netns" ] || return 0
	ip netns add $netns
	"${inside[@]}" ip link set lo up
	for address in $api_ip $dns_ip $node_ip; do "${inside[@]}" ip addr add $address/32 dev lo; done
	"${inside[@]}" sysctl -qw net.ipv4.ip_forward=1
}

door() { # NAME PORT ADDRESS: 127.0.0.1:PORT of this machine leads to the address within
	start "door-$1" python3 "$here/door.py" "/run/netns/$netns" "$2" "$3"
}

start_api() {
	start etcd "${inside[@]}" "$bin/etcd" --data-dir "$state/etcd" --unsafe-no-fsync --log-level=warn \
		--listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
	start kube-apiserver "${inside[@]}" "$bin/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --bind-address=0.0.0.0 \
		--secure-port=443 --advertise-address=$node_ip --service-cluster-ip-range=10.96.0.0/24 --cert-dir="$pki" \
		--tls-cert-file="$pki/api.crt" --tls-private-key-file="$pki/api.key" --token-auth-file="$pki/tokens.csv" \
		--authorization-mode=Node,RBAC --service-account-issuer=https://kubernetes.default.svc \
		--service-account-key-file="$pki/accounts.pub" --service-account-signing-key-file="$pki/accounts.key" \
		--allow-privileged=true --kubelet-preferred-address-types=InternalIP
	wait_for 180 kube-apiserver kube get --raw /readyz
}

argo_is_known() {
	kube get --raw /apis/argoproj.io/v1alpha1 | jq -e '[.resources[].name | select(contains("/") | not)] | length == 8'
}

# --- t0. Registering the full definitions costs the API server some 15 s of work: what etcd holds after the first time is
# what later clusters begin with.
seed=$home/seed-$(cat "$bin/.kube-apiserver" "$bin/.etcd" "$home/definitions/.complete" "$here/conf/objects.yaml" | sha256sum | cut -c1-12)
if ! alive etcd; then
	rm -rf "$state/etcd"
	[ ! -d "$seed" ] || cp -r "$seed" "$state/etcd"
	make_keys
fi
make_network
door api "$LATEEN_CLUSTER_API_PORT" 127.0.0.1:443
start_api
if [ ! -d "$seed" ]; then
	say "registering Argo's resource definitions, once"
	kube create --validate=false -f "$home/definitions" >"$logs/definitions.log"
	kube create --validate=false -f "$here/conf/objects.yaml" >>"$logs/definitions.log"
	wait_for 300 kube-apiserver argo_is_known
	stop kube-apiserver etcd
	rm -rf "$home"/seed-*
	cp -r "$state/etcd" "$seed.new"
	mv "$seed.new" "$seed"
	start_api
fi
wait_for 300 kube-apiserver argo_is_known
printf 't0\n' >"$home/level"
say "t0: the API server, https://127.0.0.1:$LATEEN_CLUSTER_API_PORT"

# --- t1
if [ "$up_level" -ge 1 ]; then
	start kube-controller-manager "${inside[@]}" "$bin/kube-controller-manager" --kubeconfig="$pki/admin.conf" --leader-elect=false \
		--service-account-private-key-file="$pki/accounts.key" --root-ca-file="$pki/ca.crt"
	start kube-scheduler "${inside[@]}" "$bin/kube-scheduler" --kubeconfig="$pki/admin.conf" --leader-elect=false
	start workflow-controller env LEADER_ELECTION_DISABLE=true DEFAULT_REQUEUE_TIME=1s "${inside[@]}" "$bin/workflow-controller" \
		--kubeconfig "$pki/admin.conf" --namespace argo --executor-image local.test/argoexec:1 --executor-image-pull-policy IfNotPresent
	wait_for 90 workflow-controller "${inside[@]}" curl -fsS http://127.0.0.1:6060/healthz
	wait_for 90 kube-controller-manager kube -n kubeflow get serviceaccount default
	printf 't1\n' >"$home/level"
	say "t1: the workflow controller"
fi

# --- t2
make_groups() { # the kubelet wants its group of control groups to be there
	local controller
	if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
		mkdir -p /sys/fs/cgroup/lateen-test
		return 0
	fi
	for controller in /sys/fs/cgroup/*/; do
		mkdir -p "$controller/lateen-test" 2>/dev/null || true
	done
	# A group of cpuset takes no process before it knows its processors and memory.
	[ ! -d /sys/fs/cgroup/cpuset/lateen-test ] || for file in cpuset.cpus cpuset.mems; do
		cat "/sys/fs/cgroup/cpuset/$file" >"/sys/fs/cgroup/cpuset/lateen-test/$file"
	done
}
if [ "$up_level" -ge 2 ]; then
	fill containerd.toml "$conf/containerd.toml"
	fill kubelet.yaml "$conf/kubelet.yaml"
	fill network.conflist "$conf/cni/10-pods.conflist"
	: >"$conf/resolv.conf"
	make_groups
	start containerd "${inside[@]}" containerd -c "$conf/containerd.toml"
	start s3 "${inside[@]}" "$home/venv/bin/moto_server" -H $node_ip -p 9000
	start dns "${inside[@]}" dnsmasq -k --no-resolv --no-hosts --listen-address=$dns_ip --bind-interfaces --user=root --pid-file= \
		--local=/cluster.local/ --address=/svc.cluster.local/$node_ip
	door s3 "$LATEEN_CLUSTER_S3_PORT" $node_ip:9000
	wait_for 60 containerd containers version
	load_images
	# Its CRI answers later than the rest, and a kubelet that finds none ends.
	wait_for 90 containerd grep -q 'Start streaming server' "$logs/containerd.log"
	# The kubelet sets these for the whole machine, and `down` puts them back.
	[ -e "$run/sysctl" ] || sysctl vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys \
		kernel.keys.root_maxbytes >"$run/sysctl"
	start kubelet "${inside[@]}" "$bin/kubelet" --config="$conf/kubelet.yaml" --kubeconfig="$pki/node.conf" --hostname-override=node1 \
		--node-ip=$node_ip --root-dir="$state/kubelet" --v=1
	wait_for 90 kubelet kube wait --for=condition=Ready node/node1 --timeout=1s
	wait_for 90 s3 curl -fsS "http://127.0.0.1:$LATEEN_CLUSTER_S3_PORT/moto-api/"
	for bucket in lateen mlpipeline; do
		curl -fsS -o "$logs/bucket.log" -X PUT "http://127.0.0.1:$LATEEN_CLUSTER_S3_PORT/$bucket"
	done
	printf 't2\n' >"$home/level"
	say "t2: a node that runs pods, and S3 at http://127.0.0.1:$LATEEN_CLUSTER_S3_PORT"
fi

# --- t3
start_database() {
	! alive mariadb || return 0
	rm -rf "$state/database"
	install -d -o mysql -g mysql -m 700 "$state/database"
	chmod 755 "$state"
	mariadb-install-db --no-defaults --datadir="$state/database" --user=mysql --skip-test-db \
		--auth-root-authentication-method=normal >"$logs/mariadb-install.log" 2>&1
	start mariadb "${inside[@]}" mariadbd --no-defaults --datadir="$state/database" --user=mysql --bind-address=127.0.0.1 \
		--socket="$state/database/socket" --pid-file="$state/database/pid" --skip-name-resolve --innodb-flush-log-at-trx-commit=0
	wait_for 60 mariadb mariadb-admin --no-defaults --socket="$state/database/socket" -u root ping
}
if [ "$up_level" -ge 3 ]; then
	for program in kfp-apiserver kfp-persistence; do
		[ -x "$bin/$program" ] || cannot "Kubeflow Pipelines' $program is not in $bin (the module proxies do not have its source)"
	done
	command -v mariadbd >/dev/null || cannot "there is no mariadbd: cluster build t3"
	start_database
	mkdir -p "$conf/kubeflow" "$(dirname $kfp_token)"
	fill kubeflow.json "$conf/kubeflow/config.json"
	kube apply --validate=false -f "$here/conf/scheduledworkflows.yaml" >"$logs/scheduledworkflows.log"
	printf unused >$kfp_token # it becomes a header as it is: no newline
	start kfp-apiserver env POD_NAMESPACE=kubeflow KUBECONFIG="$pki/admin.conf" "${inside[@]}" "$bin/kfp-apiserver" \
		--config="$conf/kubeflow" --logtostderr
	door kfp "$LATEEN_CLUSTER_KFP_PORT" 127.0.0.1:8888
	wait_for 180 kfp-apiserver curl -fsS "http://127.0.0.1:$LATEEN_CLUSTER_KFP_PORT/apis/v1beta1/healthz"
	for program in kfp-persistence kfp-scheduledworkflow; do
		[ ! -x "$bin/$program" ] || start "$program" env KUBECONFIG="$pki/admin.conf" "${inside[@]}" "$bin/$program" \
			--kubeconfig "$pki/admin.conf" --mlPipelineAPIServerName 127.0.0.1 --namespace kubeflow --logtostderr
	done
	printf 't3\n' >"$home/level"
	say "t3: Kubeflow Pipelines at http://127.0.0.1:$LATEEN_CLUSTER_KFP_PORT"
fi
