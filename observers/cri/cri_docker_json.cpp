// SPDX-License-Identifier: Apache-2.0
#include "cri_docker_json.hpp"

#include <rapidjson/document.h>

#include <algorithm>
#include <map>
#include <string>

#include "cri_messages.hpp"

namespace tapio::cri::docker_json {

namespace {

using Json = rapidjson::Value;

// Of another thing than an object there are no members; what is not there is null.
const Json& at(const Json& json, const char* key) {
  static const Json kNull;
  if (!json.IsObject()) return kNull;
  const auto found = json.FindMember(key);
  return found == json.MemberEnd() ? kNull : found->value;
}

std::string_view text(const Json& json) {
  return json.IsString() ? std::string_view(json.GetString(), json.GetStringLength())
                         : std::string_view();
}

std::string_view text(const Json& json, const char* key) { return text(at(json, key)); }

std::string_view first_text(const Json& list) {
  return list.IsArray() && !list.Empty() ? text(list[0]) : std::string_view();
}

std::map<std::string, std::string> labels_of(const Json& json) {
  std::map<std::string, std::string> labels;
  if (json.IsObject())
    for (const auto& member : json.GetObject())
      labels.emplace(text(member.name), text(member.value));
  return labels;
}

// Depth is on the heap: nesting does not cost the stack.
Result<rapidjson::Document> parsed(std::string_view text) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (document.HasParseError()) return invalid("an answer that is no JSON, or too long");
  return document;
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

Result<Version> version(std::string_view text_of_it) {
  const auto json = TRY(parsed(text_of_it));
  const auto& components = at(json, "Components");
  const std::string_view first =
      components.IsArray() && !components.Empty() ? text(components[0], "Name") : "";
  if (text(json, "ApiVersion").empty()) return invalid("an answer without a version of the API");
  return Version{first.contains("Podman") ? "podman" : "docker", cut(text(json, "Version"))};
}

Result<std::vector<Described>> containers(std::string_view text_of_it) {
  const auto json = TRY(parsed(text_of_it));
  if (!json.IsArray()) return invalid("a list of containers that is none");
  std::vector<Described> all;
  for (const Json& each : json.GetArray()) {
    if (all.size() == Runtime::kMaxContainers) break;
    if (!is_id(text(each, "Id"))) continue;
    Described one{.id = std::string(text(each, "Id")),
                  .name = cut(plain_name(first_text(at(each, "Names")))),
                  .image = cut(text(each, "Image")),
                  .state = state_of(text(each, "State"))};
    tell_labels(one, labels_of(at(each, "Labels")));
    all.push_back(std::move(one));
  }
  return all;
}

Result<Described> container(std::string_view text_of_it) {
  const auto json = TRY(parsed(text_of_it));
  const Json& state = at(json, "State");
  const Json& config = at(json, "Config");
  if (!is_id(text(json, "Id"))) return invalid("a container without an id");
  Described one{.id = std::string(text(json, "Id")),
                .name = cut(plain_name(text(json, "Name"))),
                .image = cut(text(config, "Image")),
                .state = state_of(text(state, "Status"))};
  const Json& restarts = at(json, "RestartCount");
  if (restarts.IsUint()) one.restarts = restarts.GetUint();
  if (one.state == ContainerState::exited || !text(state, "Error").empty()) {
    const Json& code = at(state, "ExitCode");
    if (code.IsInt()) one.exit_code = code.GetInt();
    const Json& oom = at(state, "OOMKilled");
    if (oom.IsBool() && oom.GetBool())
      one.exit_reason = "OOMKilled";
    else if (!text(state, "Error").empty())
      one.exit_reason = "ContainerCannotRun";  // as the kubelet calls it
  }
  tell_labels(one, labels_of(at(config, "Labels")));
  return one;
}

Result<std::vector<Image>> images(std::string_view text_of_it) {
  const auto json = TRY(parsed(text_of_it));
  if (!json.IsArray()) return invalid("a list of images that is none");
  std::vector<Image> all;
  for (const Json& each : json.GetArray()) {
    if (all.size() == Runtime::kMaxImages) break;
    const Json& size = at(each, "Size");
    const auto tag = first_text(at(each, "RepoTags"));
    all.push_back({cut(text(each, "Id")),
                   cut(tag.empty() ? first_text(at(each, "RepoDigests")) : tag),
                   size.IsUint64() ? size.GetUint64() : 0});
  }
  return all;
}

std::optional<Heard> event(std::string_view line) {
  const auto json = parsed(line);
  if (!json) return {};
  const auto type = text(*json, "Type"), action = text(*json, "Action");
  if (type == "image" && (action == "pull" || action == "load" || action == "import"))
    return Heard{.what = Heard::What::image};
  const auto id = text(at(*json, "Actor"), "ID");
  if (type != "container" || !is_id(id)) return {};
  for (const char* each : {"create", "init", "start", "restart"})
    if (action == each) return Heard{Heard::What::container, std::string(id), true};
  for (const char* each : {"die", "died", "oom"})
    if (action == each) return Heard{Heard::What::container, std::string(id)};
  return {};
}

}  // namespace tapio::cri::docker_json
