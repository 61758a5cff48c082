// SPDX-License-Identifier: Apache-2.0
#include "cli/load.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/fd.hpp"
#include "base/text.hpp"

namespace tapio::cli {

namespace {

// One byte beyond the bound, so that load() sees that it is too long. "-" is standard input.
Result<std::string> read_file(const std::string& name) {
  Fd opened(name == "-" ? -1 : ::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (name != "-" && !opened) {
    const Fault fault = errno == EACCES ? Fault::denied : Fault::invalid;
    return fail(fault, fmt::format("cannot open {}: {}", name, std::strerror(errno)));
  }
  std::string text;
  std::array<char, 65536> part;
  while (text.size() <= config::kMaxFileBytes) {
    const auto got = ::read(opened ? opened.get() : STDIN_FILENO, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return invalid(fmt::format("cannot read {}: {}", name, std::strerror(errno)));
    if (got == 0) break;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return text;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::string_view rest = text; !rest.empty();) {
    const auto comma = rest.find(',');
    parts.emplace_back(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
  }
  return parts;
}

std::vector<std::string> all_keys(const config::Tree& tree) {
  std::vector<std::string> keys;
  for (const auto& entry : tree.entries())
    for (const auto& setting : entry.section->settings())
      keys.push_back(entry.path + "." + setting.name);
  return keys;
}

std::unexpected<Error> unknown(const config::Tree& tree, const std::string& key) {
  const auto keys = all_keys(tree);
  const auto near = nearest(key, keys);
  return invalid(fmt::format(
      "--set: unknown setting {}; {}", config::shown(key),
      near.empty() ? "see `tapio config explain`" : fmt::format("did you mean {}?", near)));
}

}  // namespace

Loaded load(const Agent& agent, const std::optional<std::string>& named) {
  Loaded loaded{.tree = agent.configuration(), .file = {}, .wrong = {}};
  const std::string file = named.value_or(kDefaultConfig);
  if (!named && ::access(file.c_str(), F_OK) != 0) return loaded;
  loaded.file = file;
  const auto text = read_file(file);
  if (!text) {
    loaded.wrong.push_back(text.error().what);
    return loaded;
  }
  const auto environment = [](const char* name) -> const char* { return std::getenv(name); };
  for (const auto& problem : config::load(loaded.tree, *text, file, environment))
    loaded.wrong.push_back(config::to_string(problem));
  return loaded;
}

std::string file_in_use(const std::optional<std::string>& named) {
  if (!named) return ::access(kDefaultConfig, F_OK) == 0 ? kDefaultConfig : "";
  std::error_code ignored;  // then it stays as it was given
  const auto whole = *named == "-" ? *named : std::filesystem::absolute(*named, ignored).string();
  return whole.empty() ? *named : whole;
}

Reread rereading(const Agent& agent, std::string file,
                 std::vector<std::pair<std::string, std::string>> set) {
  return [&agent, file = std::move(file),
          set = std::move(set)]() -> std::expected<Configured, std::vector<std::string>> {
    if (file == "-")
      return std::unexpected(std::vector<std::string>{
          "the configuration came from standard input, which cannot be read again; restart"});
    const std::optional<std::string> named =
        file.empty() ? std::nullopt : std::optional<std::string>(file);
    auto tree = load(agent, named, set);
    if (!tree) return std::unexpected(std::move(tree).error());
    return Configured{.tree = std::move(*tree), .file = file_in_use(named)};
  };
}

Status set(config::Tree& tree, const std::string& key, const std::string& value) {
  for (const auto& entry : tree.entries()) {
    if (!key.starts_with(entry.path + ".")) continue;
    const std::string name = key.substr(entry.path.size() + 1);
    const auto settings = entry.section->settings();
    const auto setting = std::ranges::find(settings, name, &config::SettingInfo::name);
    if (setting == settings.end()) continue;
    const auto values = setting->is_list ? split(value) : std::vector{value};
    config::Section& section = tree.at(entry.path);
    if (auto done = section.set(name, values); !done)
      return std::unexpected(std::move(done).error().within("--set " + key));
    if (auto fits = section.check(); !fits)
      return std::unexpected(std::move(fits).error().within("--set " + key));
    return {};
  }
  return unknown(tree, key);
}

std::expected<config::Tree, std::vector<std::string>> load(
    const Agent& agent, const std::optional<std::string>& named,
    const std::vector<std::pair<std::string, std::string>>& sets) {
  Loaded loaded = load(agent, named);
  for (const auto& [key, value] : sets)
    if (const auto done = set(loaded.tree, key, value); !done)
      loaded.wrong.push_back(done.error().what);
  if (!loaded.wrong.empty()) return std::unexpected(std::move(loaded.wrong));
  return std::move(loaded.tree);
}

std::string socket_path(const Agent& agent, const std::optional<std::string>& named,
                        const config::Tree& tree) {
  if (named) return *named;
  const char* environment = std::getenv("TAPIO_SOCKET");
  return environment && *environment ? environment : agent.socket(tree);
}

std::size_t count_changed(const config::Tree& tree) {
  std::size_t changed = 0;
  for (const auto& entry : tree.entries()) {
    const auto now = entry.section->settings(), initial = entry.initial->settings();
    for (std::size_t i = 0; i < now.size(); ++i) changed += now[i].value != initial[i].value;
  }
  return changed;
}

}  // namespace tapio::cli
