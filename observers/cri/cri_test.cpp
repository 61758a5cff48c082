// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "cri.pb.h"
#include "cri_config.hpp"
#include "cri_docker_json.hpp"
#include "cri_messages.hpp"
#include "cri_outbox.hpp"
#include "cri_told.hpp"

namespace tapio::cri {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const std::string kOne(64, '1'), kTwo(64, '2'), kPodId(64, 'a');

void add_label(auto& message, const char* key, const std::string& value) {
  auto& label = *message.add_labels();
  label.set_key(key);
  label.set_value(value);
}

TEST(CriMessages, tell_what_a_status_says) {
  wire::ContainerStatusResponse answer;
  auto& status = *answer.mutable_status();
  status.set_id(kOne);
  status.mutable_metadata()->set_name("nginx");
  status.mutable_metadata()->set_attempt(3);
  status.set_state(wire::CONTAINER_EXITED);
  status.set_exit_code(137);
  status.set_reason("OOMKilled");
  status.mutable_image()->set_image("docker.io/library/nginx:1.25");
  add_label(status, "io.kubernetes.pod.name", "web-0");
  add_label(status, "io.kubernetes.pod.namespace", "shop");
  add_label(status, "io.kubernetes.pod.uid", "u-1");
  const auto one = messages::container(answer.SerializeAsString());
  ASSERT_TRUE(one);
  EXPECT_EQ(one->id, kOne);
  EXPECT_EQ(one->name, "nginx");
  EXPECT_EQ(one->image, "docker.io/library/nginx:1.25");
  EXPECT_EQ(one->pod.name, "web-0");
  EXPECT_EQ(one->pod.space, "shop");
  EXPECT_EQ(one->pod.uid, "u-1");
  EXPECT_EQ(one->restarts, 3u);
  EXPECT_EQ(one->state, ContainerState::exited);
  EXPECT_EQ(one->exit_code, 137);
  EXPECT_EQ(one->exit_reason, "OOMKilled");
}

TEST(CriMessages, prefer_the_image_that_was_asked_for) {
  wire::ListContainersResponse answer;
  auto& container = *answer.add_containers();
  container.set_id(kOne);
  container.set_pod_sandbox_id(kPodId);
  container.mutable_image()->set_image("sha256:0123");
  container.mutable_image()->set_user_specified_image("nginx:1.25");
  const auto listed = messages::containers(answer.SerializeAsString());
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->front().image, "nginx:1.25");
  EXPECT_EQ(listed->front().sandbox_id, kPodId);
}

TEST(CriMessages, take_nobody_whose_id_is_none) {
  wire::ListContainersResponse answer;
  for (const std::string& id :
       {std::string("short"), std::string(64, 'G'), std::string(65, '1'), kOne})
    answer.add_containers()->set_id(id);
  EXPECT_EQ(messages::containers(answer.SerializeAsString())->size(), 1u);
  EXPECT_FALSE(messages::container(wire::ContainerStatusResponse().SerializeAsString()));
  EXPECT_FALSE(messages::sandbox(wire::PodSandboxStatusResponse().SerializeAsString()));
}

TEST(CriMessages, keep_text_that_is_not_utf8_and_cut_what_is_too_long) {
  wire::ListPodSandboxResponse answer;
  auto& sandbox = *answer.add_items();
  sandbox.set_id(kPodId);
  sandbox.mutable_metadata()->set_name("\xff\xfe");
  sandbox.mutable_metadata()->set_namespace_(std::string(kMaxName - 1, 'x') + "\xe2\x82\xac");
  add_label(sandbox, "\xff", "\xfe");
  add_label(sandbox, "app", std::string(2 * kMaxLabels, 'y'));
  const auto listed = messages::sandboxes(answer.SerializeAsString());
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->front().pod.name, "\xff\xfe");
  EXPECT_EQ(listed->front().pod.space, std::string(kMaxName - 1, 'x'));
  EXPECT_EQ(listed->front().labels.size(), kMaxLabels);
}

TEST(CriMessages, refuse_what_is_no_message) {
  const std::string broken = "\x0a\xff\xff\xff\xff\x0f";
  EXPECT_FALSE(messages::version(broken));
  EXPECT_FALSE(messages::containers(broken));
  EXPECT_FALSE(messages::sandboxes(broken));
  EXPECT_FALSE(messages::container(broken));
  EXPECT_FALSE(messages::sandbox(broken));
  EXPECT_FALSE(messages::images(broken));
  EXPECT_FALSE(messages::cri_event(broken));
  EXPECT_FALSE(messages::containerd_event(broken));
}

std::string envelope(const char* topic, const std::string& event) {
  wire::Envelope envelope;
  envelope.set_topic(topic);
  envelope.mutable_event()->set_value(event);
  return envelope.SerializeAsString();
}

TEST(CriMessages, hear_of_containers_and_images_and_of_nothing_else) {
  wire::TaskEvent task;
  task.set_container_id(kOne);
  const auto created =
      messages::containerd_event(envelope("/tasks/create", task.SerializeAsString()));
  ASSERT_TRUE(created);
  EXPECT_EQ(created->id, kOne);
  EXPECT_TRUE(created->began);
  EXPECT_EQ(messages::containerd_event(envelope("/images/create", ""))->what, Heard::What::image);
  EXPECT_FALSE(messages::containerd_event(envelope("/snapshot/commit", task.SerializeAsString())));
  wire::TaskExit exit;
  exit.set_container_id(kOne);
  exit.set_id("an exec in it");
  EXPECT_FALSE(messages::containerd_event(envelope("/tasks/exit", exit.SerializeAsString())));
  exit.set_id(kOne);
  const auto ended = messages::containerd_event(envelope("/tasks/exit", exit.SerializeAsString()));
  ASSERT_TRUE(ended);
  EXPECT_FALSE(ended->began);
}

TEST(DockerJson, tells_what_a_list_says) {
  const auto listed = docker_json::containers(
      R"([{"Id":")" + kOne +
      R"(","Names":["/web","/other/web"],"Image":"nginx:1.25","State":"running",
       "Labels":{"app":"shop","io.kubernetes.pod.name":"web-0"},"Unknown":[{}]},
      {"Id":"short"}, 7, {"Id":")" +
      kTwo +
      R"(","Names":null,"State":"exited","Labels":{"io.kubernetes.docker.type":"podsandbox"}}])");
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->size(), 2u);
  const Described& web = listed->front();
  EXPECT_EQ(web.name, "web");
  EXPECT_EQ(web.image, "nginx:1.25");
  EXPECT_EQ(web.state, ContainerState::running);
  EXPECT_EQ(web.pod.name, "web-0");
  EXPECT_EQ(web.labels, "app=shop");
  EXPECT_FALSE(web.sandbox);
  EXPECT_TRUE(listed->back().sandbox);
  EXPECT_EQ(listed->back().sandbox_id, kTwo);
  EXPECT_EQ(listed->back().name, "");
}

TEST(DockerJson, tells_how_a_container_ended) {
  const auto text = [](const char* state) {
    return R"({"Id":")" + kOne + R"(","Name":"/web","RestartCount":2,"State":)" + state +
           R"(,"Config":{"Image":"nginx","Labels":null}})";
  };
  const auto killed =
      docker_json::container(text(R"({"Status":"exited","ExitCode":137,"OOMKilled":true})"));
  ASSERT_TRUE(killed);
  EXPECT_EQ(killed->exit_code, 137);
  EXPECT_EQ(killed->exit_reason, "OOMKilled");
  EXPECT_EQ(killed->restarts, 2u);
  const auto failed =
      docker_json::container(text(R"({"Status":"created","ExitCode":127,"Error":"no such file"})"));
  EXPECT_EQ(failed->exit_reason, "ContainerCannotRun");
  const auto odd =
      docker_json::container(text(R"({"Status":"exited","ExitCode":"many","OOMKilled":1})"));
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->exit_code, 0);
}

TEST(DockerJson, refuses_what_is_none) {
  for (const char* text : {"", "{", "[[[[", "nothing", "{\"Id\":1}"}) {
    EXPECT_FALSE(docker_json::version(text)) << text;
    EXPECT_FALSE(docker_json::containers(text)) << text;
    EXPECT_FALSE(docker_json::container(text)) << text;
    EXPECT_FALSE(docker_json::images(text)) << text;
    EXPECT_FALSE(docker_json::event(text)) << text;
  }
  EXPECT_FALSE(
      docker_json::containers(std::string(1 << 20, '[')));  // deep, and no stack is used up
}

TEST(DockerJson, knows_podman_from_docker) {
  EXPECT_EQ(
      docker_json::version(
          R"({"ApiVersion":"1.41","Version":"4.3.1","Components":[{"Name":"Podman Engine"}]})")
          ->name,
      "podman");
  EXPECT_EQ(docker_json::version(
                R"({"ApiVersion":"1.41","Version":"20.10","Components":[{"Name":"Engine"}]})")
                ->name,
            "docker");
}

TEST(DockerJson, hears_of_containers_that_begin_and_end) {
  const auto event = [](const char* type, const char* action, const std::string& id) {
    return docker_json::event(std::string(R"({"Type":")") + type + R"(","Action":")" + action +
                              R"(","Actor":{"ID":")" + id + R"("}})");
  };
  EXPECT_TRUE(event("container", "start", kOne)->began);
  EXPECT_FALSE(event("container", "die", kOne)->began);
  EXPECT_FALSE(event("container", "exec_start: sh", kOne));
  EXPECT_FALSE(event("container", "start", "short"));
  EXPECT_FALSE(event("network", "connect", kOne));
  EXPECT_EQ(event("image", "pull", "x:1")->what, Heard::What::image);
}

TEST(Sockets, are_known_by_their_names) {
  using enum Socket::Speaks;
  EXPECT_EQ(socket_of("/run/containerd/containerd.sock"),
            (Socket{cri, "/run/containerd/containerd.sock"}));
  EXPECT_EQ(socket_of("/var/run/docker.sock").speaks, docker);
  EXPECT_EQ(socket_of("/run/podman/podman.sock").speaks, docker);
  EXPECT_EQ(socket_of("/run/cri-dockerd.sock").speaks, cri);
  EXPECT_EQ(socket_of("docker:/tmp/x"), (Socket{docker, "/tmp/x"}));
  EXPECT_EQ(socket_of("cri:/tmp/docker.sock"), (Socket{cri, "/tmp/docker.sock"}));
}

TEST(CriSettings, want_paths_and_not_too_many) {
  EXPECT_TRUE(Config{}.check());
  EXPECT_TRUE((Config{.sockets = {"/a", "docker:/b"}}.check()));
  EXPECT_FALSE((Config{.sockets = {"a"}}.check()));
  EXPECT_FALSE((Config{.sockets = {"docker:b"}}.check()));
  EXPECT_FALSE((Config{.sockets = std::vector<std::string>(9, "/a")}.check()));
}

TEST(Meters, give_median_and_longest_of_an_interval) {
  Meter meter;
  for (int i = 1; i <= 101; ++i) meter.count("A", std::chrono::milliseconds(i), i == 7);
  meter.count("B", 5ms, false);
  const auto all = meter.take();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].method, "A");
  EXPECT_EQ(all[0].count, 101u);
  EXPECT_EQ(all[0].errors, 1u);
  EXPECT_EQ(all[0].median, 51ms);
  EXPECT_EQ(all[0].p99, 100ms);
  EXPECT_EQ(all[0].longest, 101ms);
  EXPECT_TRUE(meter.take().empty());
  EXPECT_EQ(meter.calls(), 102u);
  EXPECT_EQ(meter.failures(), 1u);
}

TEST(Meters, keep_no_more_durations_than_they_may) {
  Meter meter;
  for (std::size_t i = 0; i < 2 * Meter::kMaxDurations; ++i) meter.count("A", 1ms, false);
  meter.count("A", 9ms, false);
  const auto all = meter.take();
  EXPECT_EQ(all[0].count, 2 * Meter::kMaxDurations + 1);
  EXPECT_EQ(all[0].longest, 9ms);
}

Described described(const std::string& id) {
  return {.time = 5s,
          .id = id,
          .runtime = "containerd",
          .name = "n",
          .image = "i",
          .pod = {"p", "s", "u"},
          .sandbox_id = kPodId,
          .restarts = 2,
          .state = ContainerState::exited,
          .exit_code = -7,
          .exit_reason = "Error",
          .labels = "a=b"};
}

TEST(Told, is_the_same_when_it_was_packed) {
  const std::vector<Told> told = {
      described(kOne),
      Unnamed{.id = kTwo, .asked = true},
      Removed{.time = 1s, .id = kOne},
      RuntimeState{.socket = "/x", .is = RuntimeState::Is::silent, .reason = "why", .exited = 7},
      Calls{.method = "Version", .window = 10s, .count = 3, .longest = 7ms},
      Pulled{.image = "nginx", .bytes = 1'000'000'000'000},
      Counts{.lookups = 9, .cut = 1}};
  const std::string bytes = packed(told);
  const auto again = unpacked(bytes);
  ASSERT_EQ(again.size(), told.size());
  EXPECT_EQ(packed(again), bytes);
  const auto& one = std::get<Described>(again[0]);
  EXPECT_EQ(one.exit_code, -7);
  EXPECT_EQ(one.pod.space, "s");
  EXPECT_EQ(std::get<RuntimeState>(again[3]).is, RuntimeState::Is::silent);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_LT(unpacked(bytes.substr(0, size)).size(), told.size());
}

TEST(Outboxes, say_that_nobody_knows_it_when_the_last_one_has_said_so) {
  Outbox outbox;
  outbox.expect(kOne, 2);
  outbox.put(Unnamed{.id = kOne, .asked = true});
  EXPECT_TRUE(outbox.take().empty());
  outbox.put(Unnamed{.id = kOne, .asked = false});
  const auto told = outbox.take();
  ASSERT_EQ(told.size(), 2u);  // and the counts
  EXPECT_FALSE(std::get<Unnamed>(told[0]).asked);
}

TEST(Outboxes, believe_the_one_who_knows_it) {
  Outbox outbox;
  outbox.expect(kOne, 2);
  outbox.put(Unnamed{.id = kOne, .asked = true});
  outbox.put(described(kOne));
  const auto told = outbox.take();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(std::get<Described>(told[0]).id, kOne);
}

TEST(Outboxes, drop_and_count_what_nobody_fetches) {
  Outbox outbox;
  for (std::size_t i = 0; i < Outbox::kMaxTold + 5; ++i) outbox.put(Removed{.id = kOne});
  const auto told = outbox.take();
  EXPECT_EQ(told.size(), Outbox::kMaxTold + 1);
  EXPECT_EQ(std::get<Counts>(told.back()).dropped, 5u);
  EXPECT_TRUE(outbox.take().empty());
}

}  // namespace
}  // namespace tapio::cri
