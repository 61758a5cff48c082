// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/load.hpp"
#include "cli/out.hpp"
#include "serve/client.hpp"

namespace tapio::cli {

namespace {

void append_changes(std::string& out, std::string_view title, const serve::Json& changes) {
  if (changes.items().empty()) return;
  out.append(title) += '\n';
  for (const auto& change : changes.items())
    out += fmt::format("  {}: {} -> {}\n", printable(change["setting"].text()),
                       printable(change["before"].text()), printable(change["after"].text()));
}

}  // namespace

std::string reload_text(const serve::Json& answer) {
  std::string out;
  append_changes(out, "changed", answer["changed"]);
  append_changes(out, "needs a restart", answer["restart"]);
  if (out.empty() && !answer["kept"].truth()) out = "nothing changed\n";
  return out;
}

Exit reload(const Arguments& arguments, const Agent& agent) {
  const auto socket = socket_path(agent, arguments.socket, load(agent, std::nullopt).tree);
  const auto answer = serve::ask(socket, {.command = serve::Command::reload});
  if (!answer) return complain(answer.error());
  const auto json = serve::parse_json(*answer);
  if (!json) return complain(json.error());
  const Exit printed = print(arguments.json ? *answer + "\n" : reload_text(*json));
  if (printed != Exit::fine) return printed;
  const auto& wrong = (*json)["wrong"].items();
  for (const auto& sentence : wrong) note(sentence.text());
  if ((*json)["kept"].truth()) note("the old configuration is kept");
  return wrong.empty() ? Exit::fine : Exit::wrong;
}

}  // namespace tapio::cli
