# SPDX-License-Identifier: Apache-2.0
"""manifests_test.py TAPIO: Kubernetes' own client reads the manifests and knows every key in them, they
fit together, and the agent has nothing to say of the configuration."""

import json
import subprocess
import sys
import tempfile
import unittest

from agent import ROOT, read_yaml, skip

try:
    from kubernetes import client
except ImportError:
    skip("python3-kubernetes is not installed")

TAPIO = sys.argv.pop(1)
MANIFESTS = ROOT / "deploy/kubernetes"


def manifest(name):
    return read_yaml(f"kubernetes/{name}")


def resources():
    return [manifest(name) for name in manifest("kustomization.yaml")["resources"]]


def of_kind(kind):
    return next(each for each in resources() if each["kind"] == kind)


class Answer:
    """What the client reads objects from."""

    def __init__(self, text):
        self.data = text


class Manifests(unittest.TestCase):
    def test_each_file_is_named_by_the_kustomization(self):
        there = {path.name for path in MANIFESTS.glob("*.yaml")} - {"kustomization.yaml"}
        self.assertEqual(set(manifest("kustomization.yaml")["resources"]), there)

    def test_the_client_knows_every_key_and_type(self):
        api = client.ApiClient()
        for each in resources():
            version = each["apiVersion"].rpartition("/")[2].capitalize()
            parsed = api.deserialize(Answer(json.dumps(each)), version + each["kind"])
            # What it does not know is not there any more.
            self.assertEqual(api.sanitize_for_serialization(parsed), each)

    def test_names_lead_somewhere(self):
        pod = of_kind("DaemonSet")["spec"]["template"]["spec"]
        container = pod["containers"][0]
        self.assertEqual({volume["name"] for volume in pod["volumes"]},
                         {mount["name"] for mount in container["volumeMounts"]})
        self.assertEqual(pod["serviceAccountName"], of_kind("ServiceAccount")["metadata"]["name"])
        configured = next(v["configMap"]["name"] for v in pod["volumes"] if "configMap" in v)
        self.assertEqual(configured, of_kind("ConfigMap")["metadata"]["name"])
        self.assertEqual(manifest("kustomization.yaml")["images"][0]["name"], container["image"])
        annotation = "container.apparmor.security.beta.kubernetes.io/" + container["name"]
        self.assertIn(annotation, of_kind("DaemonSet")["spec"]["template"]["metadata"]["annotations"])
        labels = of_kind("DaemonSet")["spec"]["template"]["metadata"]["labels"]
        self.assertEqual(of_kind("DaemonSet")["spec"]["selector"]["matchLabels"], labels)

    def test_the_tag_of_the_image_is_the_version(self):
        version = subprocess.run([TAPIO, "version"], capture_output=True, text=True, check=True).stdout
        self.assertEqual("tapio " + manifest("kustomization.yaml")["images"][0]["newTag"],
                         version.strip())

    def test_the_configuration_is_fine(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            print(of_kind("ConfigMap")["data"]["tapio.yaml"], file=file, flush=True)
            done = subprocess.run([TAPIO, "config", "check", file.name], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)


unittest.main()
