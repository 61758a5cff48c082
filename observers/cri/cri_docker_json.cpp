// SPDX-License-Identifier: Apache-2.0
#include "cri_docker_json.hpp"

#include <map>
#include <string>
#include <utility>

#include "base/json_value.hpp"
#include "cri_messages.hpp"

namespace tapio::cri::docker_json {

namespace {

std::string_view first_text(const Json& list) {
  return list.items().empty() ? std::string_view() : list.items().front().text();
}

std::map<std::string, std::string> labels_of(const Json& json) {
  std::map<std::string, std::string> labels;
  for (const auto& [key, value] : json.members()) labels[key] = value.text();
  return labels;
}

Result<Json> parsed(std::string_view text) {
  auto json = parse_json(text);
  if (!json) return invalid("an answer that cannot be read: " + json.error().what);
  return json;
}

ContainerState state_of(std::string_view word) {
  for (const char* each : {"created", "configured", "initialized"})
    if (word == each) return ContainerState::created;
  for (const char* each : {"running", "paused", "restarting", "stopping"})
    if (word == each) return ContainerState::running;
  for (const char* each : {"exited", "dead", "stopped", "removing"})
    if (word == each) return ContainerState::exited;
  return ContainerState::unknown;
}

// 0 when it is no number of that kind.
template <typename T>
T in_range(const Json& json) {
  const auto number = json.integer();
  return std::in_range<T>(number) ? static_cast<T>(number) : T{};
}

std::string_view plain_name(std::string_view name) {
  return name.starts_with('/') ? name.substr(1) : name;
}

// What labels say: the pod, if the kubelet made it through cri-dockerd, and all of them as text.
void tell_labels(Described& one, const std::map<std::string, std::string>& labels) {
  const auto label = [&](std::string_view key) {
    const auto found = labels.find(std::string(key));
    return found == labels.end() ? std::string() : cut(found->second);
  };
  one.pod = {label(kPodName), label(kPodNamespace), label(kPodUid)};
  if (auto name = label(kContainerName); !name.empty()) one.name = std::move(name);
  one.sandbox = label("io.kubernetes.docker.type") == "podsandbox";
  one.sandbox_id = one.sandbox ? one.id : label("io.kubernetes.sandbox.id");
  one.labels = text_of(labels);
}

}  // namespace

Result<Version> version(std::string_view text) {
  const Json json = TRY(parsed(text));
  const auto components = json["Components"].items();
  const auto first = components.empty() ? "" : components.front()["Name"].text();
  if (json["ApiVersion"].text().empty()) return invalid("an answer without a version of the API");
  return Version{first.contains("Podman") ? "podman" : "docker", cut(json["Version"].text())};
}

Result<std::vector<Described>> containers(std::string_view text) {
  const Json json = TRY(parsed(text));
  if (!json.is_list()) return invalid("a list of containers that is none");
  std::vector<Described> all;
  for (const Json& each : json.items()) {
    if (all.size() == Runtime::kMaxContainers) break;
    if (!is_id(each["Id"].text())) continue;
    Described one{.id = std::string(each["Id"].text()),
                  .name = cut(plain_name(first_text(each["Names"]))),
                  .image = cut(each["Image"].text()),
                  .state = state_of(each["State"].text())};
    tell_labels(one, labels_of(each["Labels"]));
    all.push_back(std::move(one));
  }
  return all;
}

Result<Described> container(std::string_view text) {
  const Json json = TRY(parsed(text));
  const Json& state = json["State"];
  if (!is_id(json["Id"].text())) return invalid("a container without an id");
  Described one{.id = std::string(json["Id"].text()),
                .name = cut(plain_name(json["Name"].text())),
                .image = cut(json["Config"]["Image"].text()),
                .restarts = in_range<std::uint32_t>(json["RestartCount"]),
                .state = state_of(state["Status"].text())};
  const bool failed = !state["Error"].text().empty();
  if (one.state == ContainerState::exited || failed) {
    one.exit_code = in_range<std::int32_t>(state["ExitCode"]);
    if (state["OOMKilled"].truth())
      one.exit_reason = "OOMKilled";
    else if (failed)
      one.exit_reason = "ContainerCannotRun";  // as the kubelet calls it
  }
  tell_labels(one, labels_of(json["Config"]["Labels"]));
  return one;
}

Result<std::vector<Image>> images(std::string_view text) {
  const Json json = TRY(parsed(text));
  if (!json.is_list()) return invalid("a list of images that is none");
  std::vector<Image> all;
  for (const Json& each : json.items()) {
    if (all.size() == Runtime::kMaxImages) break;
    const auto tag = first_text(each["RepoTags"]);
    all.push_back({cut(each["Id"].text()), cut(tag.empty() ? first_text(each["RepoDigests"]) : tag),
                   each["Size"].count()});
  }
  return all;
}

std::optional<Heard> event(std::string_view line) {
  const auto json = parsed(line);
  if (!json) return {};
  const auto type = (*json)["Type"].text(), action = (*json)["Action"].text();
  if (type == "image" && (action == "pull" || action == "load" || action == "import"))
    return Heard{.what = Heard::What::image};
  const auto id = (*json)["Actor"]["ID"].text();
  if (type != "container" || !is_id(id)) return {};
  for (const char* each : {"create", "init", "start", "restart"})
    if (action == each) return Heard{Heard::What::container, std::string(id), true};
  for (const char* each : {"die", "died", "oom"})
    if (action == each) return Heard{Heard::What::container, std::string(id)};
  return {};
}

}  // namespace tapio::cri::docker_json
