// SPDX-License-Identifier: Apache-2.0
// A runtime that speaks the Kubernetes CRI.
#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/lru.hpp"
#include "cri_messages.hpp"
#include "cri_runtime.hpp"
#include "net/grpc_client.hpp"

namespace tapio::cri {

namespace {

using net::GrpcClient;
using net::GrpcEnd;
using net::GrpcReply;

constexpr std::size_t kMaxAnswer = 16 << 20;  // as much as containerd sends
constexpr std::size_t kMaxSandboxes = 4096;   // whose pods are kept in mind

constexpr std::string_view kRuntimeService = "/runtime.v1.RuntimeService/";
constexpr std::string_view kImageService = "/runtime.v1.ImageService/";

// Some runtimes have no code for it, and say it.
bool is_not_found(const GrpcEnd& end) {
  if (end.status == net::kGrpcNotFound) return true;
  return end.status == net::kGrpcUnknown &&
         (end.message.contains("not found") || end.message.contains("not exist") ||
          end.message.contains("could not find"));
}

std::unexpected<Error> refused(std::string_view method, const GrpcEnd& end) {
  const auto fault =
      end.status == net::kGrpcUnimplemented ? Fault::unsupported : Fault::unavailable;
  return fail(fault, fmt::format("{}: {} (gRPC status {})", method, end.message, end.status));
}

class CriClient final : public Runtime {
 public:
  CriClient(GrpcClient calls, GrpcClient streams, const Asking& asking)
      : calls_(std::move(calls)), streams_(std::move(streams)), asking_(asking) {}

  Result<Version> version(const std::stop_token& stop) override {
    const auto answer = TRY(ask(kRuntimeService, "Version", {}, stop));
    return messages::version(answer);
  }
  Result<std::vector<Described>> list(const std::stop_token& stop) override;
  Result<std::vector<Image>> images(const std::stop_token& stop) override {
    const auto answer = TRY(ask(kImageService, "ListImages", {}, stop));
    return messages::images(answer);
  }
  Result<std::optional<Described>> status(const std::string& id,
                                          const std::stop_token& stop) override;
  Status listen(const OnHeard& on_heard, const std::stop_token& stop) override;

 private:
  struct KnownPod {
    Pod pod;
    std::string labels;
  };

  Result<GrpcReply> call(std::string_view service, std::string_view method,
                         const std::string& request, const std::stop_token& stop);
  // The same, of which only OK is an answer.
  Result<std::string> ask(std::string_view service, std::string_view method,
                          const std::string& request, const std::stop_token& stop);
  // The same of one that may not be there.
  Result<std::optional<std::string>> find(std::string_view method, const std::string& request,
                                          const std::stop_token& stop);
  Result<std::optional<Described>> sandbox(const std::string& id, const std::stop_token& stop);
  Status find_pod(Described& one, const std::stop_token& stop);
  void keep(const Described& sandbox);
  bool fill_in(Described& one);

  GrpcClient calls_, streams_;
  Asking asking_;
  Lru<std::string, KnownPod> pods_{kMaxSandboxes};          // by the sandbox's id
  Lru<std::string, std::string> sandboxes_{kMaxSandboxes};  // by the pod's uid, the latest
};

Result<GrpcReply> CriClient::call(std::string_view service, std::string_view method,
                                  const std::string& request, const std::stop_token& stop) {
  const auto began = monotonic_now();
  auto reply = calls_.call(fmt::format("{}{}", service, method), request, stop);
  if (asking_.meter && !stop.stop_requested())
    asking_.meter->count(
        method, monotonic_now() - began,
        !reply || (reply->end.status != net::kGrpcOk && !is_not_found(reply->end)));
  return reply;
}

Result<std::string> CriClient::ask(std::string_view service, std::string_view method,
                                   const std::string& request, const std::stop_token& stop) {
  auto reply = TRY(call(service, method, request, stop));
  if (reply.end.status != net::kGrpcOk) return refused(method, reply.end);
  return std::move(reply.message);
}

Result<std::optional<std::string>> CriClient::find(std::string_view method,
                                                   const std::string& request,
                                                   const std::stop_token& stop) {
  auto reply = TRY(call(kRuntimeService, method, request, stop));
  if (is_not_found(reply.end)) return std::nullopt;
  if (reply.end.status != net::kGrpcOk) return refused(method, reply.end);
  return std::move(reply.message);
}

void CriClient::keep(const Described& sandbox) {
  pods_.use(sandbox.id) = {sandbox.pod, sandbox.labels};
  if (!sandbox.pod.uid.empty() && sandbox.state == ContainerState::running)
    sandboxes_.use(sandbox.pod.uid) = sandbox.id;
}

// What is known of its pod. False: nothing is.
bool CriClient::fill_in(Described& one) {
  if (one.sandbox_id.empty() && !one.pod.uid.empty())
    if (const auto* id = sandboxes_.find(one.pod.uid)) one.sandbox_id = *id;
  const auto* known = one.sandbox_id.empty() ? nullptr : pods_.find(one.sandbox_id);
  if (!known) return !one.pod.name.empty();
  one.pod = known->pod;
  if (asking_.labels) one.labels = known->labels;
  return true;
}

Result<std::vector<Described>> CriClient::list(const std::stop_token& stop) {
  const auto sandboxes = TRY(ask(kRuntimeService, "ListPodSandbox", {}, stop));
  const auto containers = TRY(ask(kRuntimeService, "ListContainers", {}, stop));
  auto all = TRY(messages::sandboxes(sandboxes));
  for (Described& sandbox : all) {
    keep(sandbox);
    if (!asking_.labels) sandbox.labels.clear();
  }
  auto others = TRY(messages::containers(containers));
  for (Described& container : others) {
    if (all.size() == kMaxContainers) break;
    fill_in(container);
    all.push_back(std::move(container));
  }
  return all;
}

// A status does not say in which sandbox a container is. The kubelet says the pod by labels; of
// others, a list of this one says the sandbox.
Status CriClient::find_pod(Described& one, const std::stop_token& stop) {
  if (fill_in(one)) return {};
  const auto answer =
      TRY(ask(kRuntimeService, "ListContainers", messages::list_request(one.id), stop));
  const auto listed = TRY(messages::containers(answer));
  if (listed.empty() || listed.front().id != one.id) return {};
  one.sandbox_id = listed.front().sandbox_id;
  if (one.sandbox_id.empty() || fill_in(one)) return {};
  TRY(sandbox(one.sandbox_id, stop));
  fill_in(one);
  return {};
}

Result<std::optional<Described>> CriClient::sandbox(const std::string& id,
                                                    const std::stop_token& stop) {
  const auto answer = TRY(find("PodSandboxStatus", messages::sandbox_request(id), stop));
  if (!answer) return std::nullopt;
  auto one = TRY(messages::sandbox(*answer));
  if (one.id != id) return invalid("the status of another sandbox");
  keep(one);
  if (!asking_.labels) one.labels.clear();
  return one;
}

Result<std::optional<Described>> CriClient::status(const std::string& id,
                                                   const std::stop_token& stop) {
  const auto answer = TRY(find("ContainerStatus", messages::status_request(id), stop));
  if (!answer) return sandbox(id, stop);
  auto one = TRY(messages::container(*answer));
  if (one.id != id) return invalid("the status of another container");
  TRY(find_pod(one, stop));
  return one;
}

// containerd has events of its own since long, which also tell of images; CRI's are for others.
Status CriClient::listen(const OnHeard& on_heard, const std::stop_token& stop) {
  const auto hear = [&](auto decode) {
    return [&on_heard, decode](std::string_view message) {
      if (const auto heard = decode(message)) on_heard(*heard);
      return true;
    };
  };
  auto end =
      TRY(streams_.stream("/containerd.services.events.v1.Events/Subscribe",
                          messages::subscribe_request(), hear(messages::containerd_event), stop));
  if (end.status == net::kGrpcUnimplemented)
    end = TRY(streams_.stream(fmt::format("{}GetContainerEvents", kRuntimeService), {},
                              hear(messages::cri_event), stop));
  if (end.status != net::kGrpcOk) return refused("events", end);
  return {};
}

}  // namespace

Result<std::unique_ptr<Runtime>> make_cri(const std::string& path, const Asking& asking) {
  auto calls = TRY(GrpcClient::make(
      {.unix_socket = path, .time = asking.time, .max_message_bytes = kMaxAnswer}));
  auto streams =
      TRY(GrpcClient::make({.unix_socket = path, .time = {}, .max_message_bytes = kMaxAnswer}));
  return std::make_unique<CriClient>(std::move(calls), std::move(streams), asking);
}

}  // namespace tapio::cri
