# SPDX-License-Identifier: Apache-2.0
# Real containers, for scripts that source this: containerd and runc from the packages, with a root,
# state and socket of their own, and an image made of busybox. Nothing is fetched.
#
#   containers_start DIR      then CONTAINERD_PID is its pid
#   containers_run NAME COMMAND...   runs to its end, prints what it prints
#   containers_stop           its cgroups go with it

containers_image() { # DIR: a docker archive with busybox and its applets
  local dir=$1 layer
  mkdir -p "$dir/image" "$dir/rootfs/bin"
  cp "$(command -v busybox)" "$dir/rootfs/bin/"
  for applet in sh echo sleep true cat ls kill; do ln -sf busybox "$dir/rootfs/bin/$applet"; done
  tar -C "$dir/rootfs" -cf "$dir/image/layer.tar" .
  layer=$(sha256sum "$dir/image/layer.tar" | cut -d' ' -f1)
  cat >"$dir/image/config.json" <<JSON
{"architecture":"$(dpkg --print-architecture)","os":"linux","config":{"Env":["PATH=/bin"]},
 "rootfs":{"type":"layers","diff_ids":["sha256:$layer"]}}
JSON
  echo '[{"Config":"config.json","RepoTags":["docker.io/tapio/busybox:1"],"Layers":["layer.tar"]}]' \
    >"$dir/image/manifest.json"
  tar -C "$dir/image" -cf "$dir/image.tar" manifest.json config.json layer.tar
}

readonly CONTAINERS_NAMESPACE=tapio-soak # and so the name of the cgroup above them

containers_ctr() { ctr -a "$CONTAINERS/sock" -n "$CONTAINERS_NAMESPACE" "$@"; }

containers_start() {
  CONTAINERS=$1
  mkdir -p "$CONTAINERS"
  containers_image "$CONTAINERS"
  cat >"$CONTAINERS/config.toml" <<TOML
version = 2
root = "$CONTAINERS/root"
state = "$CONTAINERS/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$CONTAINERS/sock"
TOML
  containerd -c "$CONTAINERS/config.toml" >"$CONTAINERS/log" 2>&1 &
  CONTAINERD_PID=$!
  for _ in $(seq 100); do
    containers_ctr version >/dev/null 2>&1 && break
    sleep 0.1
  done
  containers_ctr images import --no-unpack "$CONTAINERS/image.tar" >/dev/null
}

containers_run() {
  local name=$1
  shift
  containers_ctr run --rm --snapshotter native docker.io/tapio/busybox:1 "$name" "$@"
}

containers_stop() {
  kill -TERM "$CONTAINERD_PID" && wait "$CONTAINERD_PID" || true
  # One that is in use, of another who runs this, stays.
  find /sys/fs/cgroup -depth -type d -path "*/$CONTAINERS_NAMESPACE*" -exec rmdir {} \; 2>/dev/null || true
}
