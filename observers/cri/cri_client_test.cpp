// SPDX-License-Identifier: Apache-2.0
// Runtimes that answer by hand: over real sockets, with what a test says.
#include <gmock/gmock.h>

#include "cri.pb.h"
#include "cri_runtime.hpp"
#include "h2_peer.hpp"
#include "temporary.hpp"

namespace tapio::cri {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const std::string kOne(64, '1'), kTwo(64, '2'), kPodId(64, 'a');

class CriClients : public testing::Test {
 protected:
  // The client of a runtime that gives these answers, one after the other.
  Runtime& runtime(std::vector<std::string> answers) {
    peer_.emplace(directory_.file("s"), std::move(answers));
    auto made = make_cri(directory_.file("s"), {.time = 5s, .labels = true, .meter = &meter_});
    if (!made) std::abort();
    runtime_ = std::move(*made);
    return *runtime_;
  }
  static std::string status(const std::string& id, bool labelled) {
    wire::ContainerStatusResponse answer;
    answer.mutable_status()->set_id(id);
    answer.mutable_status()->mutable_metadata()->set_name("nginx");
    if (labelled) {
      auto& label = *answer.mutable_status()->add_labels();
      label.set_key("io.kubernetes.pod.name");
      label.set_value("web-0");
    }
    return grpc_answer(answer.SerializeAsString());
  }
  static std::string listed(const std::string& id, const std::string& sandbox) {
    wire::ListContainersResponse answer;
    answer.add_containers()->set_id(id);
    answer.mutable_containers(0)->set_pod_sandbox_id(sandbox);
    return grpc_answer(answer.SerializeAsString());
  }
  static std::string sandbox(const std::string& id) {
    wire::PodSandboxStatusResponse answer;
    answer.mutable_status()->set_id(id);
    answer.mutable_status()->mutable_metadata()->set_name("web-0");
    answer.mutable_status()->mutable_metadata()->set_namespace_("shop");
    auto& label = *answer.mutable_status()->add_labels();
    label.set_key("app");
    label.set_value("shop");
    return grpc_answer(answer.SerializeAsString());
  }

  const Temporary directory_;
  Meter meter_;
  std::optional<H2Peer> peer_;
  std::unique_ptr<Runtime> runtime_;
};

TEST_F(CriClients, find_the_pod_by_the_kubelets_labels_in_one_call) {
  const auto one =
      runtime({status(kOne, true), grpc_failure("13", "not to be asked")}).status(kOne, {});
  ASSERT_TRUE(one) << one.error().what;
  EXPECT_EQ((*one)->pod.name, "web-0");
  EXPECT_EQ(meter_.calls(), 1u);
}

TEST_F(CriClients, find_the_pod_by_the_sandbox_and_ask_for_it_once) {
  Runtime& asked =
      runtime({status(kOne, false), listed(kOne, kPodId), sandbox(kPodId), status(kTwo, false),
               listed(kTwo, kPodId), grpc_failure("13", "not to be asked")});
  const auto one = asked.status(kOne, {});
  ASSERT_TRUE(one) << one.error().what;
  EXPECT_EQ((*one)->pod.space, "shop");
  EXPECT_EQ((*one)->sandbox_id, kPodId);
  EXPECT_EQ((*one)->labels, "app=shop");
  const auto two = asked.status(kTwo, {});
  ASSERT_TRUE(two) << two.error().what;
  EXPECT_EQ((*two)->pod.name, "web-0");
}

TEST_F(CriClients, take_what_is_no_container_for_a_sandbox) {
  const auto one =
      runtime({grpc_failure("5", "no such container"), sandbox(kPodId)}).status(kPodId, {});
  ASSERT_TRUE(one) << one.error().what;
  EXPECT_TRUE((*one)->sandbox);
  EXPECT_EQ((*one)->pod.name, "web-0");
  EXPECT_EQ(meter_.failures(), 0u);
}

TEST_F(CriClients, say_that_nobody_is_known_by_an_id_however_the_runtime_says_it) {
  for (const auto& answer :
       {grpc_failure("5", ""), grpc_failure("2", "specified container not found: x"),
        grpc_failure("2", "container does not exist")}) {
    runtime_.reset();
    peer_.reset();
    std::filesystem::remove(directory_.file("s"));
    const auto one = runtime({answer}).status(kOne, {});
    ASSERT_TRUE(one) << one.error().what;
    EXPECT_FALSE(*one);
  }
}

TEST_F(CriClients, know_a_server_that_speaks_no_cri) {
  const auto version =
      runtime({grpc_failure("12", "unknown service runtime.v1.RuntimeService")}).version({});
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().fault, Fault::unsupported);
  EXPECT_THAT(version.error().what, HasSubstr("unknown service"));
  EXPECT_EQ(meter_.failures(), 1u);
}

TEST_F(CriClients, do_not_believe_an_answer_about_another_container) {
  const auto one = runtime({status(kTwo, true)}).status(kOne, {});
  ASSERT_FALSE(one);
  EXPECT_EQ(one.error().fault, Fault::invalid);
}

TEST_F(CriClients, refuse_an_answer_that_is_no_message) {
  const auto one = runtime({grpc_answer("\xff\xff\xff")}).status(kOne, {});
  ASSERT_FALSE(one);
  EXPECT_EQ(one.error().fault, Fault::invalid);
}

TEST_F(CriClients, hear_events_of_cri_where_there_are_none_of_containerd) {
  wire::ContainerEventResponse event;
  event.set_container_id(kOne);
  std::vector<std::string> heard;
  const auto ended =
      runtime({grpc_failure("12", "unknown service"), grpc_answer(event.SerializeAsString())})
          .listen([&](const Heard& each) { heard.push_back(each.id); }, {});
  EXPECT_TRUE(ended);
  EXPECT_THAT(heard, testing::ElementsAre(kOne));
}

TEST_F(CriClients, say_that_a_runtime_tells_nothing_of_its_own_accord) {
  const auto ended =
      runtime({grpc_failure("12", "unknown method")}).listen([](const Heard&) {}, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().fault, Fault::unsupported);
}

// A server of HTTP/1.1 that gives one answer after the other, each on its own connection.
class DockerClients : public testing::Test {
 protected:
  Runtime& runtime(std::vector<std::string> bodies, const char* status = "200 OK") {
    socket_ = listening(directory_.file("docker.sock"));
    thread_ = std::jthread([this, bodies, status] {
      for (const std::string& body : bodies) {
        const Fd peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!peer) return;
        std::string request(4096, '\0');
        const auto size = ::recv(peer.get(), request.data(), request.size(), 0);
        asked_.push_back(
            request.substr(0, request.substr(0, static_cast<std::size_t>(size)).find(" HTTP")));
        const auto answer =
            std::string("HTTP/1.1 ") + status +
            "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
            body;
        (void)::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      }
    });
    auto made = make_docker(directory_.file("docker.sock"), {.time = 5s, .meter = &meter_});
    if (!made) std::abort();
    runtime_ = std::move(*made);
    return *runtime_;
  }
  ~DockerClients() override { ::shutdown(socket_.get(), SHUT_RDWR); }

  const Temporary directory_;
  Fd socket_;
  Meter meter_;
  std::vector<std::string> asked_;
  std::unique_ptr<Runtime> runtime_;
  std::jthread thread_;
};

std::string in_list(const char* state) {
  return R"([{"Id":")" + kOne + R"(","Names":["/web"],"Image":"nginx:1","State":")" + state +
         R"("}])";
}

TEST_F(DockerClients, ask_a_list_for_one_that_runs_for_it_waits_for_no_lock) {
  const auto one = runtime({in_list("running")}).status(kOne, {});
  ASSERT_TRUE(one) << one.error().what;
  EXPECT_EQ((*one)->name, "web");
  thread_.join();
  EXPECT_EQ(asked_, std::vector<std::string>{"GET /containers/json?all=true&filters="
                                             "%7B%22id%22%3A%5B%22" +
                                             kOne + "%22%5D%7D"});
}

TEST_F(DockerClients, inspect_one_that_has_ended) {
  const auto one = runtime({in_list("exited"), R"({"Id":")" + kOne +
                                                   R"(","Name":"/web","Config":{"Image":"sha256:1"},
                                      "State":{"Status":"exited","ExitCode":3}})"})
                       .status(kOne, {});
  ASSERT_TRUE(one) << one.error().what;
  EXPECT_EQ((*one)->exit_code, 3);
  EXPECT_EQ((*one)->image, "nginx:1");
}

TEST_F(DockerClients, know_nobody_that_is_in_no_list) {
  const auto one = runtime({"[]"}).status(kOne, {});
  ASSERT_TRUE(one);
  EXPECT_FALSE(*one);
}

TEST_F(DockerClients, know_what_is_no_docker) {
  const auto version = runtime({"what?"}, "404 Not Found").version({});
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().fault, Fault::unsupported);
}

TEST_F(DockerClients, hear_events_line_by_line_and_no_line_without_an_end) {
  const auto event = R"({"Type":"container","Action":"start","Actor":{"ID":")" + kOne + "\"}}\n";
  std::vector<std::string> heard;
  const auto hear = [&](const Heard& each) { heard.push_back(each.id); };
  EXPECT_TRUE(runtime({event + "\n" + event}).listen(hear, {}));
  EXPECT_EQ(heard.size(), 2u);
}

TEST_F(DockerClients, hang_up_on_a_line_without_an_end) {
  EXPECT_FALSE(runtime({std::string(1 << 20, 'x')}).listen([](const Heard&) {}, {}));
}

}  // namespace
}  // namespace tapio::cri
