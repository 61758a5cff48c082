// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/load.hpp"

namespace tapio::cli {

Exit config_check(const Arguments& arguments, const Agent& agent) {
  const Loaded loaded = load(agent, arguments.file);
  for (const std::string& wrong : loaded.wrong) complain({Fault::invalid, wrong});
  if (!loaded.wrong.empty()) return Exit::wrong;
  const auto changed = count_changed(loaded.tree);
  return print(fmt::format("{} is fine: {} setting{} from the default{}\n", arguments.file, changed,
                           changed == 1 ? " differs" : "s differ", changed == 1 ? "" : "s"));
}

Exit config_explain(const Arguments& arguments, const Agent& agent) {
  const auto text = config::explain(agent.configuration(), arguments.key);
  return text ? print(*text) : complain(text.error());
}

Exit config_default(const Agent& agent) {
  return print(config::default_yaml(agent.configuration()));
}

Exit config_reference(const Agent& agent) {
  return print(config::settings_markdown(agent.configuration()));
}

}  // namespace tapio::cli
