// SPDX-License-Identifier: Apache-2.0
#include "serve/request.hpp"

#include <fmt/format.h>

#include <array>

#include "base/settings.hpp"
#include "base/text.hpp"
#include "serve/json.hpp"

namespace tapio::serve {

namespace {

struct CommandName {
  std::string_view name;
  Command command;
};
constexpr std::array<CommandName, 4> kCommands = {{{"status", Command::status},
                                                   {"stories", Command::stories},
                                                   {"stream", Command::stream},
                                                   {"reload", Command::reload}}};

struct FaultName {
  std::string_view name;
  Fault fault;
};
constexpr std::array<FaultName, 6> kFaults = {{{"invalid", Fault::invalid},
                                               {"unsupported", Fault::unsupported},
                                               {"denied", Fault::denied},
                                               {"exhausted", Fault::exhausted},
                                               {"unavailable", Fault::unavailable},
                                               {"broken", Fault::broken}}};

constexpr std::string_view kErrorBegins = R"({"error":)";

Status read_version(const Json& value) {
  if (value.is_number() && value.count() == kProtocol) return {};
  return invalid(fmt::format("this agent speaks version {}, use its own tapio", kProtocol));
}

Status read_command(const Json& value, Request& request) {
  for (const auto& [name, command] : kCommands) {
    if (value.text() != name) continue;
    request.command = command;
    return {};
  }
  return invalid("command wants status, stories, stream or reload");
}

Status read_since(const Json& value, Request& request) {
  if (value.is_null()) return {};
  auto since = parse_duration(value.text());
  if (!since) return std::unexpected(std::move(since).error().within("since"));
  request.since = *since;
  return {};
}

Status read_names(const Json& value, Request& request) {
  if (!value.is_list()) return invalid("names wants a list of texts");
  if (value.items().size() > kMaxNames)
    return invalid(fmt::format("more than {} names, ask for all", kMaxNames));
  for (const Json& name : value.items()) {
    if (!name.is_text()) return invalid("names wants a list of texts");
    request.names.emplace_back(name.text());
  }
  return {};
}

// A key that we do not know may be a filter: ignoring it would give more than was asked for.
Status read_member(const Json::Member& member, Request& request) {
  if (member.key == "v") return read_version(member.value);
  if (member.key == "command") return read_command(member.value, request);
  if (member.key == "since") return read_since(member.value, request);
  if (member.key == "names") return read_names(member.value, request);
  return invalid(fmt::format("unknown key {}", config::shown(member.key)));
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::chrono::milliseconds duration{};
  TRY(config::detail::parse(text, duration));
  return duration;
}

Result<Request> parse_request(std::string_view line) {
  const Json json = TRY(parse_json(line));
  if (!json.is_object() || json["v"].is_null() || json["command"].is_null())
    return invalid(R"(a request looks like {"v":1,"command":"status"})");
  Request request;
  for (const auto& member : json.members()) TRY(read_member(member, request));
  return request;
}

std::string to_json(const Request& request) {
  std::string out = fmt::format(R"({{"v":{},"command":")", kProtocol);
  for (const auto& [name, command] : kCommands)
    if (command == request.command) out.append(name);
  out += '"';
  if (request.since)
    out.append(R"(,"since":")").append(config::detail::yaml(*request.since)).append("\"");
  if (!request.names.empty()) {
    std::string_view before = R"(,"names":[)";
    for (const auto& name : request.names) {
      append_json_string(out.append(before), name);
      before = ",";
    }
    out += ']';
  }
  return out += '}';
}

std::string error_json(const Error& error) {
  std::string out(kErrorBegins);
  append_json_string(out, error.what);
  for (const auto& [name, fault] : kFaults)
    if (fault == error.fault) out.append(R"(,"fault":")").append(name).append("\"");
  return out += '}';
}

std::optional<Error> error_in(std::string_view answer) {
  if (!answer.starts_with(kErrorBegins)) return std::nullopt;
  const auto json = parse_json(answer);
  if (!json) return Error{Fault::broken, "the agent's answer is " + json.error().what};
  Error error{Fault::broken, std::string((*json)["error"].text())};
  for (const auto& [name, fault] : kFaults)
    if (name == (*json)["fault"].text()) error.fault = fault;
  return error;
}

}  // namespace tapio::serve
