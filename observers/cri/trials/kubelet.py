# SPDX-License-Identifier: Apache-2.0
"""As much of a kubelet as it takes to run pods: CRI's messages by the numbers of their fields
(k8s.io/cri-api/pkg/apis/runtime/v1), so that nothing of the code under test is in it."""

import grpc

CREATED, RUNNING, EXITED = 0, 1, 2
NODE = 2  # NamespaceMode


def varint(value):
    out = bytearray()
    while True:
        byte, value = value & 0x7f, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def pack(message):
    """A message from {number of a field: value}; a list is a repeated one, a dict a message."""
    out = bytearray()
    for number, value in message.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, (int, bool)):
                out += varint(number << 3) + varint(int(one))
                continue
            data = pack(one) if isinstance(one, dict) else one.encode()
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return bytes(out)


def unpack(data):
    """{number: [values]}, messages as bytes."""
    fields, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = number()
        if key & 7 == 0:
            value = number()
        else:
            size = number()
            value, at = data[at:at + size], at + size
        fields.setdefault(key >> 3, []).append(value)
    return fields


def map_of(pairs):
    return [{1: key, 2: value} for key, value in pairs.items()]


class Kubelet:
    def __init__(self, socket):
        self.channel = grpc.insecure_channel(f"unix:{socket}")

    def call(self, method, message, service="RuntimeService"):
        ask = self.channel.unary_unary(f"/runtime.v1.{service}/{method}")
        return unpack(ask(pack(message), timeout=60))

    def pod(self, name, namespace, uid, labels=None):
        """A pod with the node's network; what it is, and its sandbox's id in "id"."""
        config = {1: {1: name, 2: uid, 3: namespace},
                  3: "/tmp",
                  6: map_of({"io.kubernetes.pod.name": name, "io.kubernetes.pod.uid": uid,
                             "io.kubernetes.pod.namespace": namespace, **(labels or {})}),
                  8: {1: f"/kubepods/besteffort/pod{uid}", 2: {1: {1: NODE}}}}
        sandbox = self.call("RunPodSandbox", {1: config})[1][0].decode()
        return {"id": sandbox, "config": config, "name": name, "namespace": namespace, "uid": uid}

    def create(self, pod, name, image, command, attempt=0, memory=0, labelled=True):
        labels = {"io.kubernetes.container.name": name, "io.kubernetes.pod.name": pod["name"],
                  "io.kubernetes.pod.namespace": pod["namespace"],
                  "io.kubernetes.pod.uid": pod["uid"]}
        config = {1: {1: name, 2: attempt}, 2: {1: image}, 3: command,
                  9: map_of(labels if labelled else {}), 15: {1: {4: memory}} if memory else {}}
        answer = self.call("CreateContainer", {1: pod["id"], 2: config, 3: pod["config"]})
        return answer[1][0].decode()

    def start(self, container):
        self.call("StartContainer", {1: container})

    def status(self, container):
        """Its state, exit code and reason."""
        status = unpack(self.call("ContainerStatus", {1: container})[1][0])
        return (status.get(3, [0])[0], status.get(7, [0])[0], status.get(10, [b""])[0].decode())

    def remove(self, container):
        self.call("RemoveContainer", {1: container})

    def exec(self, container, command):
        return self.call("ExecSync", {1: container, 2: command, 3: 20}).get(3, [0])[0]

    def stop(self, container, seconds=0):
        self.call("StopContainer", {1: container, 2: seconds})

    def remove_pod(self, pod):
        self.call("StopPodSandbox", {1: pod["id"]})
        self.call("RemovePodSandbox", {1: pod["id"]})
