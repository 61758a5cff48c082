// SPDX-License-Identifier: Apache-2.0
// What config prints.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/config.hpp"
#include "base/config_shape.hpp"
#include "base/text.hpp"

namespace tapio::config {

namespace {

constexpr std::size_t kWidth = 100;

template <typename... Args>
void put(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

// Whole words, each line behind `before`; nothing for no text.
void put_wrapped(std::string& out, std::string_view before, std::string_view text) {
  std::size_t used = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(" \n"), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (used > 0 && used + 1 + columns(word) > kWidth) {
      out += '\n';
      used = 0;
    }
    out.append(used == 0 ? before : " ").append(word);
    used += (used == 0 ? columns(before) : 1) + columns(word);
  }
  if (used > 0) out += '\n';
}

std::string type_and_range(const SettingInfo& setting) {
  return fmt::format("{}{}{}{}", setting.type, setting.range.empty() ? "" : ", ", setting.range,
                     setting.reloads ? ", reload" : "");
}

void put_default(std::string& out, const Tree& tree, const Branch& branch, std::size_t depth) {
  const std::string indent(2 * depth, ' ');
  for (const Branch& child : branch.children) {
    if (depth == 0) out += '\n';
    if (child.setting) {
      put_wrapped(out, indent + "# ", child.setting->help);
      put(out, "{}# ({})\n", indent, type_and_range(*child.setting));
      put(out, "{}#{}: {}\n", indent, child.name, child.setting->value);
    } else {
      if (child.is_section) put_wrapped(out, indent + "# ", tree.entries()[child.section].summary);
      put(out, "{}{}:\n", indent, child.name);
      put_default(out, tree, child, depth + 1);
    }
  }
}

void put_effective(std::string& out, const Branch& branch, std::size_t depth) {
  for (const Branch& child : branch.children) {
    put(out, "{:{}}{}:", "", 2 * depth, child.name);
    if (child.setting)
      put(out, " {}\n", child.setting->value);
    else
      out += child.children.empty() ? " {}\n" : "\n";
    put_effective(out, child, depth + 1);
  }
}

void explain_setting(std::string& out, const SettingInfo& now, const SettingInfo& initial) {
  put_wrapped(out, "  ", now.help);
  put(out, "  type     {}\n", now.type);
  if (!now.range.empty()) put(out, "  range    {}\n", now.range);
  put(out, "  default  {}\n  current  {}\n", initial.value, now.value);
  put(out, "  change   {}\n", now.reloads ? "by `tapio reload` or SIGHUP" : "needs a restart");
}

// The settings of one section, or of one mapping in it, with what they have in common left out.
void explain_settings(std::string& out, const Branch& now, const Branch& initial,
                      std::size_t common) {
  for (std::size_t i = 0; i < now.children.size(); ++i) {
    const Branch& child = now.children[i];
    const Branch& as_added = initial.children[i];
    if (child.setting) {
      const auto& value = child.setting->value;
      const auto& otherwise = as_added.setting->value;
      put(out, "  {}: {}  ({}{})\n", child.path.substr(common), value,
          type_and_range(*child.setting),
          value == otherwise ? "" : fmt::format("; default {}", otherwise));
      put_wrapped(out, "      ", child.setting->help);
    } else if (!child.is_section) {
      explain_settings(out, child, as_added, common);
    }
  }
}

void explain_sections(std::string& out, const Tree& tree, std::string_view below) {
  std::size_t widest = 0;
  const auto is_below = [&](const Tree::Entry& entry) {
    return below.empty() || (entry.path.starts_with(below) && entry.path.size() > below.size() &&
                             entry.path[below.size()] == '.');
  };
  for (const Tree::Entry& entry : tree.entries())
    if (is_below(entry)) widest = std::max(widest, entry.path.size());
  for (const Tree::Entry& entry : tree.entries())
    if (is_below(entry)) put(out, "  {:{}}  {}\n", entry.path, widest, entry.summary);
}

// A cell of a table; a bar would end it, and help may name <things>.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += ' ';
    else if (c == '|')
      out += "\\|";
    else if (c == '<')
      out += "&lt;";
    else
      out += c;
  }
  return out;
}

void put_rows(std::string& out, const Branch& branch, std::size_t common) {
  for (const Branch& child : branch.children) {
    if (child.setting) {
      const SettingInfo& setting = *child.setting;
      put(out, "| `{}` | {} | {} | `{}` | {} | {} |\n", child.path.substr(common),
          cell(setting.type), cell(setting.range), cell(setting.value),
          setting.reloads ? "reload" : "restart", cell(setting.help));
    } else if (!child.is_section) {
      put_rows(out, child, common);
    }
  }
}

}  // namespace

std::string default_yaml(const Tree& tree) {
  std::string out =
      "# Every setting of Tapio with its default. To change one, remove the # before its name.\n"
      "# ${NAME} and ${NAME:-default} take a value from the environment; $$ is a literal $.\n"
      "# (..., reload): `tapio reload` changes it while the agent runs; the others at a restart.\n";
  put_default(out, tree, shape_of(tree, Values::initial), 0);
  return out;
}

std::string effective_yaml(const Tree& tree) {
  std::string out;
  put_effective(out, shape_of(tree, Values::current), 0);
  return out;
}

Result<std::string> explain(const Tree& tree, std::string_view key) {
  const Branch now = shape_of(tree, Values::current);
  const Branch initial = shape_of(tree, Values::initial);
  const Branch* branch = now.find(key);
  if (!branch) {
    auto near = did_you_mean(key, now.paths());
    if (near.empty()) near = ", see `tapio config explain` for all";
    return invalid(fmt::format("unknown setting {}{}", shown(key), near));
  }
  std::string out = branch->path.empty() ? "" : branch->path + "\n";
  const Branch& as_added = *initial.find(key);
  if (branch->setting) {
    explain_setting(out, *branch->setting, *as_added.setting);
    return out;
  }
  if (branch->is_section) put_wrapped(out, "  ", tree.entries()[branch->section].summary);
  explain_settings(out, *branch, as_added, branch->path.empty() ? 0 : branch->path.size() + 1);
  explain_sections(out, tree, key);
  return out;
}

std::string settings_markdown(const Tree& tree) {
  const Branch shape = shape_of(tree, Values::initial);
  std::string out;
  for (const Tree::Entry& entry : tree.entries()) {
    const Branch& section = *shape.find(entry.path);
    put(out, "{}## {}\n\n{}\n", out.empty() ? "" : "\n", entry.path, cell(entry.summary));
    if (section.children.empty()) continue;
    out += "\n| setting | type | range | default | change | meaning |\n|---|---|---|---|---|---|\n";
    put_rows(out, section, section.path.size() + 1);
  }
  return out;
}

}  // namespace tapio::config
