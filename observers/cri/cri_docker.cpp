// SPDX-License-Identifier: Apache-2.0
// A runtime that has Docker's REST API: docker, podman.
#include <fmt/format.h>

#include <utility>

#include "cri_docker_json.hpp"
#include "cri_messages.hpp"
#include "cri_runtime.hpp"
#include "net/http_client.hpp"

namespace tapio::cri {

namespace {

using net::HttpAnswer;
using net::HttpClient;

constexpr std::size_t kMaxAnswer = 8 << 20;
constexpr std::size_t kMaxLine = 64 << 10;  // of one event

std::string url(std::string_view path) {
  return fmt::format("http://localhost{}", path);
}

// {"id":["ID"]} and the like, as a URL has it.
std::string only(std::string_view id) {
  return fmt::format("%7B%22id%22%3A%5B%22{}%22%5D%7D", id);
}
constexpr std::string_view kOnlyTheseEvents =
    "%7B%22type%22%3A%5B%22container%22%2C%22image%22%5D%7D";

// Events, each of them a line.
class Lines final : public net::HttpHearer {
 public:
  explicit Lines(const Runtime::OnHeard& on_heard) : on_heard_(on_heard) {}
  bool on_header(std::string_view) override { return true; }
  bool on_body(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      line_.append(bytes.substr(0, end));
      if (line_.size() > kMaxLine) return false;
      if (end == bytes.npos) break;
      bytes.remove_prefix(end + 1);
      if (const auto heard = docker_json::event(line_)) on_heard_(*heard);
      line_.clear();
    }
    return true;
  }

 private:
  const Runtime::OnHeard& on_heard_;
  std::string line_;
};

class DockerClient final : public Runtime {
 public:
  DockerClient(HttpClient calls, HttpClient streams, const Asking& asking)
      : calls_(std::move(calls)), streams_(std::move(streams)), asking_(asking) {}

  Result<Version> version(const std::stop_token& stop) override {
    const auto answer = TRY(ask("Version", "/version", stop));
    return docker_json::version(answer);
  }
  Result<std::vector<Described>> list(const std::stop_token& stop) override {
    const auto answer = TRY(ask("ContainerList", "/containers/json?all=true", stop));
    auto all = TRY(docker_json::containers(answer));
    for (Described& one : all) spare_labels(one);
    return all;
  }
  Result<std::vector<Image>> images(const std::stop_token& stop) override {
    const auto answer = TRY(ask("ImageList", "/images/json", stop));
    return docker_json::images(answer);
  }
  Result<std::optional<Described>> status(const std::string& id,
                                          const std::stop_token& stop) override;
  Status listen(const OnHeard& on_heard, const std::stop_token& stop) override {
    Lines lines(on_heard);
    const auto path = fmt::format("/events?filters={}", kOnlyTheseEvents);
    const unsigned status = TRY(streams_.get({.url = url(path)}, lines, stop));
    if (status == 200) return {};
    return fail(Fault::unsupported, fmt::format("events: HTTP {}", status));
  }

 private:
  Result<HttpAnswer> call(std::string_view method, const std::string& path,
                          const std::stop_token& stop);
  Result<std::string> ask(std::string_view method, const std::string& path,
                          const std::stop_token& stop);
  void spare_labels(Described& one) const {
    if (!asking_.labels) one.labels.clear();
  }

  HttpClient calls_, streams_;
  Asking asking_;
};

Result<HttpAnswer> DockerClient::call(std::string_view method, const std::string& path,
                                      const std::stop_token& stop) {
  const auto began = monotonic_now();
  auto answer = calls_.get({.url = url(path)}, stop);
  if (asking_.meter && !stop.stop_requested())
    asking_.meter->count(method, monotonic_now() - began,
                         !answer || (answer->status != 200 && answer->status != 404));
  return answer;
}

Result<std::string> DockerClient::ask(std::string_view method, const std::string& path,
                                      const std::stop_token& stop) {
  auto answer = TRY(call(method, path, stop));
  if (answer.status == 200) return std::move(answer.body);
  const auto fault = answer.status == 404 ? Fault::unsupported : Fault::unavailable;
  return fail(fault, fmt::format("{}: HTTP {}", method, answer.status));
}

// Docker keeps a container locked while it starts, and an inspection waits for that. A list does
// not. So only of one that has ended the rest is asked for too.
Result<std::optional<Described>> DockerClient::status(const std::string& id,
                                                      const std::stop_token& stop) {
  const auto path = fmt::format("/containers/json?all=true&filters={}", only(id));
  const auto list = TRY(ask("ContainerList", path, stop));
  auto listed = TRY(docker_json::containers(list));
  if (listed.empty() || listed.front().id != id) return std::nullopt;
  Described one = std::move(listed.front());
  if (one.state == ContainerState::exited) {
    const auto answer = TRY(call("ContainerInspect", fmt::format("/containers/{}/json", id), stop));
    if (answer.status == 200) {
      const std::string image = std::exchange(one.image, {});
      one = TRY(docker_json::container(answer.body));
      if (one.id != id) return invalid("the status of another container");
      if (!image.empty()) one.image = image;
    }
  }
  spare_labels(one);
  return one;
}

}  // namespace

Result<std::unique_ptr<Runtime>> make_docker(const std::string& path, const Asking& asking) {
  auto calls = TRY(
      HttpClient::make({.time = asking.time, .max_answer_bytes = kMaxAnswer, .unix_socket = path}));
  auto streams = TRY(HttpClient::make({.time = {}, .unix_socket = path}));
  return std::make_unique<DockerClient>(std::move(calls), std::move(streams), asking);
}

}  // namespace tapio::cri
