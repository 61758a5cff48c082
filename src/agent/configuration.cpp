// SPDX-License-Identifier: Apache-2.0
#include "agent/configuration.hpp"

#include <algorithm>
#include <array>

#include "agent/governor.hpp"
#include "export/sink.hpp"
#include "observer.hpp"
#include "record/redact.hpp"
#include "serve/http_config.hpp"

namespace tapio::log {

std::span<const EnumName<Level>> enum_names(Level) {
  static constexpr std::array<EnumName<Level>, 4> kNames = {{{"debug", Level::debug},
                                                             {"info", Level::info},
                                                             {"warning", Level::warning},
                                                             {"error", Level::error}}};
  return kNames;
}

std::span<const EnumName<Format>> enum_names(Format) {
  static constexpr std::array<EnumName<Format>, 2> kNames = {
      {{"text", Format::text}, {"json", Format::json}}};
  return kNames;
}

}  // namespace tapio::log

namespace tapio::agent {

config::Tree configuration() {
  config::Tree tree;
  tree.add("agent", config::section<AgentConfig>(), "The agent itself.");
  tree.add("btf", config::section<BtfConfig>(),
           "Type information of the kernel (BTF), which programs are fitted to.");
  tree.add("log", config::section<LogConfig>(), "What goes to standard error.");
  tree.add("http", config::section<serve::HttpConfig>(),
           "What the local socket tells, and more, over HTTP; docs/http.md.");
  tree.add("budget", config::section<BudgetConfig>(),
           "What the agent may take of the node; docs/operations.md.");
  tree.add("redact", config::section<RedactConfig>(), "Secrets in command lines and other text.");
  for (const auto* observer : observers())
    tree.add("observers." + std::string(observer->name), observer->settings(),
             std::string(observer->summary));
  for (const auto* sink : sinks())
    tree.add("sinks." + std::string(sink->name), sink->settings(), std::string(sink->summary));
  return tree;
}

void configure_log(const config::Tree& configuration) {
  const auto& config = configuration.at("log").as<LogConfig>();
  log::configure(config.level, config.format);
}

bool is_enabled(const config::Section& section) {
  const auto settings = section.settings();
  const auto enabled = std::ranges::find(settings, "enabled", &config::SettingInfo::name);
  return enabled != settings.end() && enabled->value == "true";
}

}  // namespace tapio::agent
