// SPDX-License-Identifier: Apache-2.0
#include "cri_messages.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "cri.pb.h"

namespace tapio::cri {

bool is_id(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

std::string text_of(const std::map<std::string, std::string>& labels) {
  std::string text;
  for (const auto& [key, value] : labels) {
    if (key == kPodName || key == kPodNamespace || key == kPodUid || key == kContainerName)
      continue;
    if (!text.empty()) text += ',';
    text.append(key).append("=").append(value);
    if (text.size() > kMaxLabels) break;
  }
  return cut(text, kMaxLabels);
}

namespace messages {

namespace {

template <typename Message>
Result<Message> parsed(std::string_view bytes) {
  Message message;
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return invalid("an answer that is no message of the protocol");
  return message;
}

using Labels = std::map<std::string, std::string>;

// Of one that is there twice, the last is meant, as in a map of protobuf.
template <typename Message>
Labels labels_of(const Message& message) {
  Labels labels;
  for (const auto& label : message.labels()) labels[label.key()] = label.value();
  return labels;
}

Pod pod_of(const Labels& labels) {
  const auto label = [&](std::string_view key) {
    const auto found = labels.find(std::string(key));
    return found == labels.end() ? std::string() : cut(found->second);
  };
  return {label(kPodName), label(kPodNamespace), label(kPodUid)};
}

ContainerState state_of(wire::ContainerState state) {
  switch (state) {
    case wire::CONTAINER_CREATED:
      return ContainerState::created;
    case wire::CONTAINER_RUNNING:
      return ContainerState::running;
    case wire::CONTAINER_EXITED:
      return ContainerState::exited;
    default:
      return ContainerState::unknown;
  }
}

std::string image_of(const wire::ImageSpec& spec) {
  const auto& said = spec.user_specified_image();
  return cut(said.empty() ? spec.image() : said);
}

// What Container and ContainerStatus have alike.
template <typename Message>
Described described(const Message& message) {
  return {.id = message.id(),
          .name = cut(message.metadata().name()),
          .image = image_of(message.image()),
          .pod = pod_of(labels_of(message)),
          .restarts = message.metadata().attempt(),
          .state = state_of(message.state())};
}

// The same of PodSandbox and PodSandboxStatus.
template <typename Message>
Described of_sandbox(const Message& message) {
  const auto& pod = message.metadata();
  return {.id = message.id(),
          .pod = {cut(pod.name()), cut(pod.namespace_()), cut(pod.uid())},
          .sandbox_id = message.id(),
          .sandbox = true,
          .restarts = pod.attempt(),
          .state = message.state() == wire::SANDBOX_READY ? ContainerState::running
                                                          : ContainerState::exited,
          .labels = text_of(labels_of(message))};
}

std::string name_of(const wire::Image& image) {
  if (image.repo_tags_size() > 0) return cut(image.repo_tags(0));
  return image.repo_digests_size() > 0 ? cut(image.repo_digests(0)) : std::string();
}

}  // namespace

std::string status_request(std::string_view container) {
  wire::ContainerStatusRequest request;
  request.set_container_id(std::string(container));
  return request.SerializeAsString();
}

std::string sandbox_request(std::string_view sandbox) {
  wire::PodSandboxStatusRequest request;
  request.set_pod_sandbox_id(std::string(sandbox));
  return request.SerializeAsString();
}

std::string list_request(std::string_view container) {
  wire::ListContainersRequest request;
  if (!container.empty()) request.mutable_filter()->set_id(std::string(container));
  return request.SerializeAsString();
}

std::string subscribe_request() {
  wire::SubscribeRequest request;
  for (const char* topic :
       {"/tasks/create", "/tasks/start", "/tasks/oom", "/tasks/exit", "/images/create"})
    request.add_filters(std::string("namespace==k8s.io,topic==\"") + topic + "\"");
  return request.SerializeAsString();
}

Result<Version> version(std::string_view bytes) {
  const auto answer = TRY(parsed<wire::VersionResponse>(bytes));
  return Version{cut(answer.runtime_name()), cut(answer.runtime_version())};
}

Result<std::vector<Described>> containers(std::string_view bytes) {
  const auto answer = TRY(parsed<wire::ListContainersResponse>(bytes));
  std::vector<Described> all;
  for (const auto& container : answer.containers()) {
    if (all.size() == Runtime::kMaxContainers) break;
    if (!is_id(container.id())) continue;
    all.push_back(described(container));
    if (is_id(container.pod_sandbox_id())) all.back().sandbox_id = container.pod_sandbox_id();
  }
  return all;
}

Result<std::vector<Described>> sandboxes(std::string_view bytes) {
  const auto answer = TRY(parsed<wire::ListPodSandboxResponse>(bytes));
  std::vector<Described> all;
  for (const auto& sandbox : answer.items()) {
    if (all.size() == Runtime::kMaxContainers) break;
    if (is_id(sandbox.id())) all.push_back(of_sandbox(sandbox));
  }
  return all;
}

Result<Described> container(std::string_view bytes) {
  const auto answer = TRY(parsed<wire::ContainerStatusResponse>(bytes));
  const auto& status = answer.status();
  if (!is_id(status.id())) return invalid("a status without the id of a container");
  Described one = described(status);
  if (one.state == ContainerState::exited) {
    one.exit_code = status.exit_code();
    one.exit_reason = cut(status.reason());
  }
  return one;
}

Result<Described> sandbox(std::string_view bytes) {
  const auto answer = TRY(parsed<wire::PodSandboxStatusResponse>(bytes));
  if (!is_id(answer.status().id())) return invalid("a status without the id of a sandbox");
  return of_sandbox(answer.status());
}

Result<std::vector<Image>> images(std::string_view bytes) {
  const auto answer = TRY(parsed<wire::ListImagesResponse>(bytes));
  std::vector<Image> all;
  for (const auto& image : answer.images()) {
    if (all.size() == Runtime::kMaxImages) break;
    all.push_back({cut(image.id()), name_of(image), image.size()});
  }
  return all;
}

std::optional<Heard> cri_event(std::string_view bytes) {
  const auto event = parsed<wire::ContainerEventResponse>(bytes);
  if (!event || !is_id(event->container_id())) return {};
  return Heard{Heard::What::container, event->container_id(),
               event->container_event_type() < wire::CONTAINER_STOPPED_EVENT};
}

std::optional<Heard> containerd_event(std::string_view bytes) {
  const auto envelope = parsed<wire::Envelope>(bytes);
  if (!envelope) return {};
  if (envelope->topic() == "/images/create") return Heard{.what = Heard::What::image};
  if (!envelope->topic().starts_with("/tasks/")) return {};
  const std::string_view event = envelope->event().value();
  if (envelope->topic() == "/tasks/exit") {
    const auto exit = parsed<wire::TaskExit>(event);
    if (!exit || exit->id() != exit->container_id() || !is_id(exit->id())) return {};
    return Heard{Heard::What::container, exit->id()};
  }
  const auto task = parsed<wire::TaskEvent>(event);
  if (!task || !is_id(task->container_id())) return {};
  return Heard{Heard::What::container, task->container_id(), envelope->topic() != "/tasks/oom"};
}

}  // namespace messages

}  // namespace tapio::cri
