// SPDX-License-Identifier: Apache-2.0
#include "enrich/cgroup_path.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace tapio {
namespace {

#define ID "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"
#define OTHER_ID "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d"
#define UID "74c13223-5a00-11e9-b385-42010a80018d"
#define UNDERSCORED_UID "74c13223_5a00_11e9_b385_42010a80018d"
#define HASH "a8b0f6a1f1e5c3d2b4a5968778695a4b"

struct Row {
  const char* path;
  CgroupIdentity is;
};

CgroupIdentity container(std::string_view runtime, std::string_view id = ID) {
  return {.runtime = runtime, .container_id = id};
}
CgroupIdentity pod(std::string_view qos, std::string uid = UID) {
  return {.pod_uid = std::move(uid), .qos = qos};
}
CgroupIdentity in_pod(std::string_view qos, std::string_view runtime, std::string_view id = ID,
                      std::string uid = UID) {
  return {.runtime = runtime, .container_id = id, .pod_uid = std::move(uid), .qos = qos};
}
CgroupIdentity unit(std::string_view unit, std::string_view user_unit = {}) {
  return {.unit = unit, .user_unit = user_unit};
}
CgroupIdentity container_in(std::string_view runtime, std::string_view unit,
                            std::string_view user_unit = {}) {
  return {.runtime = runtime, .container_id = ID, .unit = unit, .user_unit = user_unit};
}

void expect(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const auto found = identify_cgroup(row.path);
    EXPECT_EQ(found.runtime, row.is.runtime) << row.path;
    EXPECT_EQ(found.container_id, row.is.container_id) << row.path;
    EXPECT_EQ(found.pod_uid, row.is.pod_uid) << row.path;
    EXPECT_EQ(found.qos, row.is.qos) << row.path;
    EXPECT_EQ(found.unit, row.is.unit) << row.path;
    EXPECT_EQ(found.user_unit, row.is.user_unit) << row.path;
  }
}

TEST(CgroupPath, knows_containers_by_the_names_that_runtimes_give) {
  expect({
      {"/docker/" ID, container("docker")},
      {"/docker/" ID "/deeper/still", container("docker")},
      {"/system.slice/docker-" ID ".scope", container("docker")},
      {"/system.slice/docker-" ID ".scope/init", container("docker")},
      {"/mydocker.slice/docker-" ID ".scope", container("docker")},
      {"/default/" ID, container("containerd")},
      {"/system.slice/nerdctl-" ID ".scope", container("containerd")},
      {"/machine.slice/libpod-" ID ".scope", container("podman")},
      {"/machine.slice/libpod-" ID ".scope/container", container("podman")},
      {"/machine.slice/machine-libpod_pod_" OTHER_ID ".slice/libpod-" ID ".scope/container",
       container("podman")},
      {"/libpod_parent/libpod-" ID, container("podman")},
      {"/libpod_parent/" OTHER_ID "/libpod-" ID, container("podman")},
      {"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope/container",
       container_in("podman", "user@1000.service")},
      {"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" ID ".scope",
       container_in("docker", "user@1000.service")},
      {"/system.slice/web.service/libpod-payload-" ID, container_in("podman", "web.service")},
      {"/user.slice/user-1000.slice/user@1000.service/app.slice/web.service/libpod-payload-" ID,
       container_in("podman", "user@1000.service", "web.service")},
  });
}

TEST(CgroupPath, knows_pods_their_class_and_their_containers_with_both_drivers) {
  expect({
      {"/kubepods/burstable/pod" UID "/" ID, in_pod("Burstable", "")},
      {"/kubepods/besteffort/pod" UID "/" ID, in_pod("BestEffort", "")},
      {"/kubepods/pod" UID "/" ID, in_pod("Guaranteed", "")},
      {"/kubepods/burstable/pod" HASH "/" ID, in_pod("Burstable", "", ID, HASH)},
      {"/kubepods/burstable/pod" UID "/crio-" ID, in_pod("Burstable", "cri-o")},
      {"/kubepods/burstable/pod" UID, pod("Burstable")},
      {"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UNDERSCORED_UID
       ".slice/cri-containerd-" ID ".scope",
       in_pod("BestEffort", "containerd")},
      {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UNDERSCORED_UID
       ".slice/crio-" ID ".scope",
       in_pod("Burstable", "cri-o")},
      {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UNDERSCORED_UID
       ".slice/crio-" ID ".scope/container",
       in_pod("Burstable", "cri-o")},
      {"/kubepods.slice/kubepods-pod" UNDERSCORED_UID ".slice/docker-" ID ".scope",
       in_pod("Guaranteed", "docker")},
      {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" HASH
       ".slice/cri-containerd-" ID ".scope",
       in_pod("Burstable", "containerd", ID, HASH)},
      {"/kubepods.slice/kubepods-pod" UNDERSCORED_UID ".slice", pod("Guaranteed")},
      {"/system.slice/containerd.service/kubepods-burstable-pod" UNDERSCORED_UID
       ".slice:cri-containerd:" ID,
       container_in("containerd", "containerd.service")},
      {"/kubepods", {}},
      {"/kubepods/burstable", {}},
      {"/kubepods.slice/kubepods-burstable.slice", {}},
  });
}

TEST(CgroupPath, does_not_take_the_monitor_of_a_container_for_the_container) {
  expect({
      {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UNDERSCORED_UID
       ".slice/crio-conmon-" ID ".scope",
       pod("Burstable")},
      {"/kubepods/burstable/pod" UID "/crio-conmon-" ID, pod("Burstable")},
      {"/system.slice/crio-conmon-" ID ".scope", {}},
      {"/machine.slice/libpod-conmon-" ID ".scope", {}},
      {"/libpod_parent/conmon", {}},
  });
}

TEST(CgroupPath, names_the_innermost_container_and_the_pod_that_it_is_in) {
  expect({
      {"/docker/" OTHER_ID "/docker/" ID, container("docker")},
      {"/kubepods/burstable/pod" UID "/" OTHER_ID "/docker/" ID, in_pod("Burstable", "docker")},
      // kind: a node is a container, and pods are in it.
      {"/docker/" OTHER_ID "/kubelet/kubepods/besteffort/pod" UID "/" ID, in_pod("BestEffort", "")},
      {"/system.slice/docker-" OTHER_ID
       ".scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
       "kubelet-kubepods-besteffort-pod" UNDERSCORED_UID ".slice/cri-containerd-" ID ".scope",
       in_pod("BestEffort", "containerd")},
      {"/docker/" OTHER_ID "/kubelet/kubepods/besteffort/pod" UID, pod("BestEffort")},
  });
}

TEST(CgroupPath, reads_what_there_is_of_paths_whose_head_cannot_be_seen) {
  expect({
      {"/../../docker/" ID, container("docker")},
      {"/../cri-containerd-" ID ".scope", container("containerd")},
      {"…/kubepods/burstable/pod" UID "/" ID, in_pod("Burstable", "")},
      {"/../../kubepods-besteffort-pod" UNDERSCORED_UID ".slice/cri-containerd-" ID ".scope",
       in_pod("BestEffort", "containerd")},
      {"/..", {}},
      {"…", {}},
  });
}

TEST(CgroupPath, knows_units_as_systemd_names_them) {
  expect({
      {"/system.slice/nginx.service", unit("nginx.service")},
      {"/system.slice/nginx.service/worker/7", unit("nginx.service")},
      {"/system.slice/system-getty.slice/getty@tty1.service", unit("getty@tty1.service")},
      {R"(/system.slice/system-systemd\x2dfsck.slice/systemd-fsck@dev-disk-by\x2duuid-1.service)",
       unit(R"(systemd-fsck@dev-disk-by\x2duuid-1.service)")},
      {"/system.slice/docker.socket", unit("docker.socket")},
      {"/system.slice/_memory.service", unit("memory.service")},
      {"/init.scope", unit("init.scope")},
      {"/user.slice/user-1000.slice/session-3.scope", unit("session-3.scope")},
      {"/user.slice/user-1000.slice/user@1000.service", unit("user@1000.service")},
      {"/user.slice/user-1000.slice/user@1000.service/init.scope",
       unit("user@1000.service", "init.scope")},
      {"/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service",
       unit("user@1000.service", "foo.service")},
      {"/user.slice/user-1000.slice/user@1000.service/app.slice/app-foo.slice/foo@1.service/sub",
       unit("user@1000.service", "foo@1.service")},
      {"/system.slice/docker.service/init", unit("docker.service")},
      {"/machine.slice/systemd-nspawn@box.service/payload", unit("systemd-nspawn@box.service")},
      {"/system.slice", {}},
      {"/user.slice/user-1000.slice", {}},
      {"/", {}},
      {"", {}},
  });
}

TEST(CgroupPath, takes_the_unit_of_the_systemd_in_a_container_for_the_unit) {
  expect({
      {"/docker/" ID "/system.slice/nginx.service", container_in("docker", "nginx.service")},
      {"/system.slice/docker-" ID ".scope/init.scope", container_in("docker", "init.scope")},
      {"/machine.slice/libpod-" ID ".scope/container/system.slice/a.service",
       container_in("podman", "a.service")},
      {"/system.slice/web.service/libpod-payload-" ID "/system.slice/a.service",
       container_in("podman", "a.service")},
      {"/docker/" ID "/user.slice/user-0.slice/user@0.service/app.slice/b.service",
       container_in("docker", "user@0.service", "b.service")},
  });
}

TEST(CgroupPath, guesses_nothing_from_what_is_almost_right) {
  const std::string id = ID;
  std::string upper = id;
  upper[3] = 'F';
  for (const std::string& bad :
       {id.substr(1), id + "0", upper, "g" + id.substr(1), std::string("web")}) {
    for (const char* before : {"/docker/", "/default/", "/system.slice/docker-",
                               ("/kubepods/burstable/pod" UID "/"), "/libpod_parent/libpod-"}) {
      EXPECT_EQ(identify_cgroup(before + bad).container_id, "") << before << bad;
      EXPECT_EQ(identify_cgroup(before + bad + ".scope").container_id, "") << before << bad;
    }
  }
  expect({
      {"/" ID, {}},
      {"/foo/" ID, {}},
      {"/foo/default/" ID, {}},
      {"/dockers/" ID, {}},
      {"/docker-" ID, {}},  // docker makes this name as a scope only
      {"/xdocker-" ID ".scope", unit("xdocker-" ID ".scope")},
      {"/docker/x/" ID, {}},
      {"/kubepods/pod" UID "/x/" ID, pod("Guaranteed")},
      {"/kubepods/other/pod" UID, {}},
      {"/burstable/pod" UID "/" ID, {}},
      {"/kubepods/podx" UID, {}},
      {"/kubepods/pod" UNDERSCORED_UID, {}},
      {"/kubepods.slice/kubepods-pod" UID ".slice", {}},
      {"/kubepods.slice/mykubepods-pod" UNDERSCORED_UID ".slice", {}},
      {"/foo.slice:evil:" ID, {}},
      {"/cri-containerd:" ID, {}},
      {"/foo/bar.service", {}},
      {"/system.slice/foo@.service", {}},
      {"/system.slice/@foo.service", {}},
      {"/system.slice/.service", {}},
      {"/system.slice/foo bar.service", {}},
      {"/system.slice/foo.device", {}},
      {"/user.slice/user-1000.slice/user@joe.service/foo.service", unit("user@joe.service")},
  });
}

}  // namespace
}  // namespace tapio
