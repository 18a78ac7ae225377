# What `up` needs for a level, in the cluster's home; what is there already is left alone. Sourced by `cluster`.
build_level=${1#t}
build_end=$((SECONDS + ${LATEEN_CLUSTER_BUILD_SECONDS:-86400}))
export GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS=-buildvcs=false
mkdir -p "$bin" "$images" "$logs"

in_time() { # WHAT LOG COMMAND…: the command, for what is left of LATEEN_CLUSTER_BUILD_SECONDS; its words go to the log
	local what=$1 log=$logs/$2 left=$((build_end - SECONDS)) status=0
	shift 2
	[ $left -gt 0 ] || cannot "the time for building was over before $what (what was built stays for the next try)"
	timeout -k 10 "$left" "$@" >"$log" 2>&1 || status=$?
	[ $status != 124 ] || cannot "the time for building was over within $what (what was built stays for the next try)"
	return $status
}

# --- Debian's packages
wanted=()
want() { # WHAT PACKAGE
	[ -e "$1" ] || command -v "$1" >/dev/null || wanted+=("$2")
}
want curl curl
want jq jq
want openssl openssl
want ip iproute2
want nsenter util-linux
if [ "$build_level" -ge 2 ]; then
	want containerd containerd
	want runc runc
	want /usr/lib/cni/bridge containernetworking-plugins
	want iptables iptables
	want dnsmasq dnsmasq-base
	{ command -v busybox >/dev/null && ! ldd "$(command -v busybox)" >/dev/null 2>&1; } || wanted+=(busybox-static)
fi
[ ! -x "$bin/kfp-apiserver" ] || want mariadbd mariadb-server
if [ ${#wanted[@]} -gt 0 ]; then
	command -v apt-get >/dev/null || cannot "these packages are missing: ${wanted[*]}"
	{
		apt-get -q -o DPkg::Lock::Timeout=120 update || true
		DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "${wanted[@]}"
	} >"$logs/apt.log" 2>&1 || cannot "these packages cannot be installed: ${wanted[*]} ($logs/apt.log)"
	say "installed ${wanted[*]}"
fi

# --- programs from Go's modules: one module for Kubernetes and etcd, one for Argo, whose needs do not go together
command -v go >/dev/null || cannot "there is no go, which builds Kubernetes and Argo"

version_of() { # FOLDER MODULE
	awk -v module="$2" '$1 == module { print $2; exit } $1 == "require" && $2 == module { print $3; exit }' "$here/modules/$1/go.mod"
}

fetch_modules() { # FOLDER: once for each go.sum
	local mark
	mark="$home/.fetched-$(basename "$1")"
	[ "$(cat "$mark" 2>/dev/null)" != "$(sha256sum <"$1/go.sum")" ] || return 0
	in_time "fetching modules" modules.log go -C "$1" mod download ||
		cannot "Go's modules cannot be fetched: $(tail -n 1 "$logs/modules.log")"
	sha256sum <"$1/go.sum" >"$mark"
}

go_build() { # NAME FOLDER PACKAGE FLAGS
	local mark
	mark=$(cat "$2/go.mod" <(go version) <(printf %s "$4") | sha256sum)
	[ ! -x "$bin/$1" ] || [ "$(cat "$bin/.$1" 2>/dev/null)" != "$mark" ] || return 0
	fetch_modules "$2"
	in_time "building $1" "go-$1.log" go -C "$2" build -p "${LATEEN_CLUSTER_JOBS:-$(nproc)}" -trimpath -ldflags "-s -w $4" -o "$bin/$1" "$3" ||
		broken "$1 does not build ($logs/go-$1.log)"
	printf '%s\n' "$mark" >"$bin/.$1"
	say "built $1"
}

version=$(version_of kubernetes k8s.io/kubernetes)
component=k8s.io/component-base/version
flags="-X $component.gitVersion=$version -X $component.gitMajor=1 -X $component.gitMinor=$(cut -d. -f2 <<<"$version")"
go_build etcd "$here/modules/kubernetes" go.etcd.io/etcd/server/v3 ""
programs=(kube-apiserver)
command -v kubectl >/dev/null || programs+=(kubectl)
[ "$build_level" -lt 1 ] || programs+=(kube-controller-manager kube-scheduler)
[ "$build_level" -lt 2 ] || programs+=(kubelet)
for program in "${programs[@]}"; do
	go_build "$program" "$here/modules/kubernetes" "k8s.io/kubernetes/cmd/$program" "$flags"
done

# A module's archive holds no symbolic links, and one of Argo's sources is one: signal_linux.go, which leads to
# signal_darwin.go. So Argo is built from a copy that has it.
argo=github.com/argoproj/argo-workflows/v3
version=$(version_of argo $argo)
source=$home/source/argo
if [ "$(cat "$source/.complete" 2>/dev/null)" != "$version" ]; then
	rm -rf "$source"
	mkdir -p "$source"
	cp "$here"/modules/argo/go.{mod,sum} "$source"
	in_time "fetching Argo" modules.log go -C "$source" mod download $argo ||
		cannot "Argo's module cannot be fetched: $(tail -n 1 "$logs/modules.log")"
	cp -r --no-preserve=mode "$(go -C "$source" list -m -f '{{.Dir}}' $argo)" "$source/workflows"
	cp "$source"/workflows/workflow/executor/osspecific/signal_{darwin,linux}.go
	go -C "$source" mod edit "-replace=$argo=./workflows"
	printf '%s\n' "$version" >"$source/.complete"
fi
flags="-X $argo.version=$version -X $argo.gitTag=$version -X $argo.gitTreeState=clean"
[ "$build_level" -lt 1 ] || go_build workflow-controller "$source" $argo/cmd/workflow-controller "$flags"
[ "$build_level" -lt 2 ] || go_build argoexec "$source" $argo/cmd/argoexec "$flags"

# --- the S3 server, and the Python that reads Argo's definitions
if ! cmp -s "$here/modules/s3/requirements.txt" "$home/venv/.complete"; then
	rm -rf "$home/venv"
	python3 -m venv "$home/venv" >"$logs/venv.log" 2>&1 || cannot "python3 makes no virtual environment ($logs/venv.log)"
	in_time "fetching the S3 server" pip.log "$home/venv/bin/pip" install -q --disable-pip-version-check -r "$here/modules/s3/requirements.txt" ||
		cannot "the S3 server cannot be installed ($logs/pip.log)"
	cp "$here/modules/s3/requirements.txt" "$home/venv/.complete"
	say "installed the S3 server"
fi
if [ "$(cat "$home/definitions/.complete" 2>/dev/null)" != "$version" ]; then
	rm -rf "$home/definitions"
	mkdir -p "$home/definitions"
	"$home/venv/bin/python" "$here/definitions.py" "$source/workflows/manifests/base/crds/full" "$home/definitions"
	printf '%s\n' "$version" >"$home/definitions/.complete"
	say "read Argo's resource definitions, $version"
fi

# --- images
image() { # NAME MARK FILL [ENTRYPOINT…]: FILL puts files into $root; made again when MARK is newer
	local name=$1 mark=$2 fill=$3 archive
	shift 3
	archive=$images/$(tr -c 'A-Za-z0-9.\n' _ <<<"$name").tar
	[ ! "$archive" -nt "$mark" ] || return 0
	root=$(mktemp -d)
	chmod 755 "$root"
	mkdir -p "$root"/{bin,etc,root,tmp}
	chmod 1777 "$root/tmp"
	printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\n' >"$root/etc/group"
	printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
	$fill
	python3 "$here/image.py" "$root" "$name" "$archive.new" "$@"
	mv "$archive.new" "$archive"
	rm -rf "$root" "$archive.loaded"
	say "made the image $name"
}
fill_pause() { cp "$(command -v busybox)" "$root/bin/busybox"; }
fill_argoexec() { cp "$bin/argoexec" "$root/bin/"; }
fill_busybox() {
	local applet
	cp "$(command -v busybox)" "$root/bin/busybox"
	for applet in $(busybox --list); do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
}
if [ "$build_level" -ge 2 ]; then
	image local.test/pause:1 "$(command -v busybox)" fill_pause busybox sleep infinity # keeps a pod's namespaces, no more
	image local.test/argoexec:1 "$bin/argoexec" fill_argoexec argoexec
	image local.test/busybox:1.36 "$(command -v busybox)" fill_busybox
fi
say "built for t$build_level: $(du -sh "$bin" | cut -f1) of programs"
