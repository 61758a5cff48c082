// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.hpp"

#include <fmt/format.h>
#include <signal.h>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/load.hpp"
#include "cli/pages.hpp"
#include "serve/client.hpp"

namespace tapio::cli {

namespace {

Exit show_version(const Arguments& arguments, const Agent& agent) {
  if (!arguments.json) return print(fmt::format("tapio {}\n", agent.version()));
  std::string out = R"({"version":)";
  append_json_string(out, agent.version());
  return print(out + "}\n");
}

Exit show_help(const Arguments& arguments) {
  return print(help(arguments.topic, words_of(arguments.topic, observers())));
}

Exit dispatch(const Arguments& arguments, Agent& agent) {
  switch (arguments.command) {
    case Command::help:
      return show_help(arguments);
    case Command::version:
      return show_version(arguments, agent);
    case Command::run:
    case Command::record:
      return run(arguments, agent);
    case Command::replay:
      return replay(arguments, agent);
    case Command::trace:
      return trace(arguments, agent, observers());
    case Command::stories:
      return stories(arguments, agent);
    case Command::explain:
      return explain(arguments, agent);
    case Command::query:
      return query(arguments, agent);
    case Command::status:
      return status(arguments, agent);
    case Command::top:
      return top(arguments, agent, observers());
    case Command::doctor:
      return doctor(arguments, agent);
    case Command::reload:
      return reload(arguments, agent);
    case Command::config_check:
      return config_check(arguments, agent);
    case Command::config_explain:
      return config_explain(arguments, agent);
    case Command::config_default:
      return config_default(agent);
    case Command::config_reference:
      return config_reference(agent);
    case Command::completion:
      return completion(arguments, agent, observers());
    case Command::man:
      return man(arguments, agent, observers());
  }
  return Exit::wrong;
}

}  // namespace

Exit run(const Arguments& arguments, Agent& agent) {
  auto tree = load(agent, arguments.config, arguments.set);
  if (!tree) {
    for (const auto& wrong : tree.error()) complain({Fault::invalid, wrong});
    return Exit::misused;
  }
  const std::string socket = socket_path(agent, arguments.socket, *tree);
  const std::string file = file_in_use(arguments.config);
  RunOptions options{.configuration = std::move(*tree),
                     .file = file,
                     .reread = rereading(agent, file, arguments.set),
                     .socket = socket,
                     .duration = arguments.duration,
                     .format = arguments.format,
                     .sinks = arguments.sinks};
  if (arguments.command == Command::record)
    options.recording = {
        .file = arguments.file, .replace = arguments.force, .max_bytes = arguments.max_bytes.bytes};
  const Status done = agent.run(options);
  return done ? Exit::fine : complain(done.error());
}

Exit replay(const Arguments& arguments, Agent& agent) {
  const Status done =
      agent.replay({.file = arguments.file, .quiet = arguments.quiet, .stats = arguments.stats});
  return done ? Exit::fine : complain(done.error());
}

Exit status(const Arguments& arguments, const Agent& agent) {
  const auto socket = socket_path(agent, arguments.socket, load(agent, std::nullopt).tree);
  const auto answer = serve::ask(socket, {.command = serve::Command::status});
  if (!answer) return complain(answer.error());
  if (arguments.json) return print(*answer + "\n");
  const auto json = serve::parse_json(*answer);
  return json ? print(status_text(*json)) : complain(json.error());
}

int main(int argc, const char* const* argv, Agent& agent) {
  ::signal(SIGPIPE, SIG_IGN);  // a reader that goes ends output quietly
  const auto arguments = parse({argv + std::min(argc, 1), argv + argc});
  if (!arguments) return static_cast<int>(complain(arguments.error()));
  return static_cast<int>(dispatch(*arguments, agent));
}

}  // namespace tapio::cli
