// SPDX-License-Identifier: Apache-2.0
#include "base/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/config_document.hpp"
#include "base/config_shape.hpp"
#include "base/text.hpp"

namespace tapio::config {

namespace {

constexpr std::size_t kListedMost = 8;  // known names in a sentence

bool is_variable_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && std::ranges::all_of(name, fits) && (name[0] < '0' || name[0] > '9');
}

// What stands for "NAME" or "NAME:-default". The text may be part of a secret: of it, no more than
// a variable's name is repeated.
Result<std::string> look_up(std::string_view inside, const Environment& environment) {
  const auto colon = inside.find(":-");
  const std::string name(inside.substr(0, colon));
  if (!is_variable_name(name))
    return invalid("wants ${NAME} or ${NAME:-default}, and $$ for a literal $");
  const char* value = environment(name.c_str());
  if (value && (*value || colon == inside.npos)) return value;
  if (colon == inside.npos)
    return invalid(fmt::format(
        "environment variable {0} is not set, set it or write ${{{0}:-default}}", name));
  const auto otherwise = inside.substr(colon + 2);
  if (otherwise.contains("${")) return invalid("${...} cannot stand inside another, take it apart");
  return std::string(otherwise);
}

Result<std::string> substitute(std::string_view text, const Environment& environment) {
  std::string out;
  while (true) {
    const auto dollar = text.find('$');
    out.append(text.substr(0, dollar));
    if (dollar == text.npos) return out;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      out += '$';
      text.remove_prefix(1);
    } else if (text.starts_with('{')) {
      const auto end = text.find('}');
      if (end == text.npos) return invalid("has ${ without }, write $$ for a literal $");
      out += TRY(look_up(text.substr(1, end - 1), environment));
      text.remove_prefix(end + 1);
    } else {
      out += '$';
    }
  }
}

bool says_something(const Node& node) {
  if (node.kind != Node::Kind::mapping) return node.kind != Node::Kind::null;
  return node.children.empty() || std::ranges::any_of(node.children, says_something);
}

// One reading of one file, into copies of the defaults.
class Loading {
 public:
  Loading(const Tree& tree, const Environment& environment)
      : environment_(environment), shape_(shape_of(tree, Values::initial)) {
    for (const Tree::Entry& entry : tree.entries())
      parts_.push_back({.section = entry.initial->clone(), .path = entry.path, .mark = {}});
  }

  void read(std::string_view yaml) {
    Document document = read_document(yaml);
    findings_ = std::move(document.findings);
    descend(shape_, document.root);
    if (!document.is_whole) return;
    for (const Part& part : parts_)
      if (Status fine = part.section->check(); !part.is_faulty && !fine)
        report(part.mark, fmt::format("{}: {}", part.path, printable(fine.error().what)));
  }

  struct Part {
    std::unique_ptr<Section> section;
    std::string path;
    Mark mark;  // of its mapping, if the file has one
    bool is_present = false, is_faulty = false;
  };
  [[nodiscard]] std::vector<Part>& parts() { return parts_; }
  [[nodiscard]] std::vector<Finding>& findings() { return findings_; }

 private:
  void report(Mark mark, std::string what) { findings_.push_back({mark, std::move(what)}); }

  void descend(const Branch& branch, const Node& node) {
    if (node.kind == Node::Kind::mapping) {
      if (branch.is_section) {
        parts_[branch.section].is_present = says_something(node);
        parts_[branch.section].mark = node.key_mark;
      }
      read_members(branch, node);
    } else if (node.kind == Node::Kind::scalar || node.kind == Node::Kind::sequence) {
      const auto name = branch.path.empty() ? "the file" : branch.path;
      report(node.mark, fmt::format("{} holds settings, write them as 'name: value' lines, "
                                    "indented below it",
                                    name));
    }
  }

  void read_members(const Branch& branch, const Node& mapping) {
    std::map<std::string_view, int> seen;
    for (const Node& member : mapping.children) {
      const auto [first, is_new] = seen.try_emplace(member.key, member.key_mark.line);
      const Branch* child = branch.child(member.key);
      if (!is_new)
        report(member.key_mark,
               fmt::format("{} stands here for the second time, first in line {}, remove one",
                           shown(member.key), first->second + 1));
      else if (!child)
        report(member.key_mark, unknown(branch, member.key));
      else if (child->setting)
        read_setting(*child, member);
      else
        descend(*child, member);
    }
  }

  [[nodiscard]] std::string unknown(const Branch& branch, const std::string& key) const {
    if (key == "<<") return "merge keys (<<) are not supported, write the settings out";
    const auto in = branch.path.empty() ? "" : " in " + branch.path;
    // What follows may be a secret.
    if (const auto colon = key.find(':'); colon != key.npos)
      return fmt::format("unknown setting {}{}, write a space after the colon",
                         shown(key.substr(0, colon + 1)), in);
    return fmt::format("unknown setting {}{}{}", shown(key), in, what_instead(branch, key));
  }

  [[nodiscard]] std::string what_instead(const Branch& branch, const std::string& key) const {
    if (const auto dot = key.find('.'); dot != key.npos && branch.find(key))
      return fmt::format(", nest it: write '{}' indented below '{}'", key.substr(dot + 1),
                         key.substr(0, dot));
    const auto names = branch.child_names();
    if (auto near = did_you_mean(key, names); !near.empty()) return near;
    if (const auto home = home_of(key); !home.empty())
      return fmt::format(", it belongs in {}", home);
    if (names.empty()) return ", remove it: there are no settings here";
    if (names.size() <= kListedMost) return fmt::format(", known are {}", fmt::join(names, ", "));
    const auto about = branch.path.empty() ? "" : " " + branch.path;
    return fmt::format(", see `tapio config explain{}`", about);
  }

  // The one mapping that knows this name, if there is exactly one.
  [[nodiscard]] std::string home_of(const std::string& key) const {
    std::set<std::string> homes;
    for (const std::string& path : shape_.paths())
      if (path.ends_with("." + key)) homes.insert(path.substr(0, path.size() - key.size() - 1));
    return homes.size() == 1 ? *homes.begin() : "";
  }

  void read_setting(const Branch& leaf, const Node& node) {
    if (node.kind == Node::Kind::refused) {
      parts_[leaf.section].is_faulty = true;
    } else if (node.kind == Node::Kind::null) {
      refuse(leaf, node, "has no value, write one or remove the line");
    } else if (node.kind == Node::Kind::mapping) {
      refuse(
          leaf, node,
          leaf.setting->is_list ? "wants a list, not a mapping" : "wants one value, not a mapping");
    } else if (node.kind == Node::Kind::sequence && !leaf.setting->is_list) {
      refuse(leaf, node, "wants one value, not a list");
    } else if (node.kind == Node::Kind::sequence) {
      set(leaf, node, node.children);
    } else {
      set(leaf, node, {&node, 1});
    }
  }

  void refuse(const Branch& leaf, const Node& node, std::string_view why) {
    report(node.mark, fmt::format("{}: {}", leaf.path, why));
    parts_[leaf.section].is_faulty = true;
  }

  void set(const Branch& leaf, const Node& node, std::span<const Node> items) {
    std::vector<std::string> values;
    bool all_read = true;
    for (const Node& item : items) {
      auto value = text_of(item);
      if (value)
        values.push_back(std::move(*value));
      else if (all_read = false; item.kind != Node::Kind::refused)
        refuse(leaf, item, value.error().what);
    }
    if (!all_read) {
      parts_[leaf.section].is_faulty = true;
      return;
    }
    if (auto done = parts_[leaf.section].section->set(leaf.setting->name, values); !done)
      refuse(leaf, node, done.error().what);
  }

  [[nodiscard]] Result<std::string> text_of(const Node& item) const {
    if (item.kind == Node::Kind::scalar) return substitute(item.text, environment_);
    return invalid("wants single values in its list, quote what holds brackets");
  }

  const Environment& environment_;
  const Branch shape_;
  std::vector<Part> parts_;
  std::vector<Finding> findings_;
};

// Turns marks, which count bytes, into what an editor shows.
class Places {
 public:
  explicit Places(std::string_view yaml) : yaml_(yaml) {
    starts_.push_back(0);
    for (std::size_t i = 0; i < yaml.size(); ++i)
      if (yaml[i] == '\n') starts_.push_back(i + 1);
  }
  [[nodiscard]] int column(Mark mark) const {
    const auto start = starts_[std::min(static_cast<std::size_t>(mark.line), starts_.size() - 1)];
    const auto before = static_cast<std::size_t>(std::max(mark.column, 0));
    return static_cast<int>(columns(yaml_.substr(start, before))) + 1;
  }

 private:
  std::string_view yaml_;
  std::vector<std::size_t> starts_;
};

std::vector<Problem> problems_of(std::vector<Finding> findings, std::string_view yaml,
                                 const std::string& file) {
  std::ranges::sort(findings, {}, [](const Finding& finding) {
    return std::tie(finding.mark.line, finding.mark.column, finding.what);
  });
  const Places places(yaml);
  std::vector<Problem> problems;
  for (auto& [mark, what] : findings) {
    if (problems.size() == kMaxProblems) {
      const auto more = findings.size() - kMaxProblems;
      problems.push_back({file, 0, 0, fmt::format("{} more problems, mend these first", more)});
      break;
    }
    if (mark.line < 0)
      problems.push_back({file, 0, 0, std::move(what)});
    else
      problems.push_back({file, mark.line + 1, places.column(mark), std::move(what)});
  }
  return problems;
}

}  // namespace

std::string to_string(const Problem& problem) {
  const auto file = printable(problem.file);
  if (problem.line == 0) return fmt::format("{}: {}", file, problem.what);
  return fmt::format("{}:{}:{}: {}", file, problem.line, problem.column, problem.what);
}

void Tree::add(std::string path, std::unique_ptr<Section> section, std::string summary) {
  assert(!path.empty() && !contains(path));
  auto initial = section->clone();
  entries_.push_back({.path = std::move(path),
                      .summary = std::move(summary),
                      .section = std::move(section),
                      .initial = std::move(initial)});
}

std::size_t Tree::index_of(std::string_view path) const {
  const auto found = std::ranges::find(entries_, path, &Entry::path);
  return static_cast<std::size_t>(found - entries_.begin());
}

const Section& Tree::at(std::string_view path) const {
  return *entries_.at(index_of(path)).section;
}

Section& Tree::at(std::string_view path) {
  return *entries_.at(index_of(path)).section;
}

bool Tree::contains(std::string_view path) const {
  return index_of(path) < entries_.size();
}

Tree Tree::clone() const {
  Tree copy;
  for (const Entry& entry : entries_)
    copy.entries_.push_back({.path = entry.path,
                             .summary = entry.summary,
                             .section = entry.section->clone(),
                             .initial = entry.initial->clone(),
                             .present = entry.present});
  return copy;
}

bool Tree::present(std::string_view path) const {
  return contains(path) && entries_[index_of(path)].present;
}

std::vector<Problem> load(Tree& tree, std::string_view yaml, const std::string& file,
                          const Environment& environment) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (yaml.starts_with(kByteOrderMark)) yaml.remove_prefix(kByteOrderMark.size());
  Loading loading(tree, environment);
  loading.read(yaml);
  if (!loading.findings().empty()) return problems_of(std::move(loading.findings()), yaml, file);
  for (std::size_t i = 0; i < tree.entries_.size(); ++i) {
    tree.entries_[i].section = std::move(loading.parts()[i].section);
    tree.entries_[i].present = loading.parts()[i].is_present;
  }
  return {};
}

Result<std::vector<Change>> take_over(Tree& tree, const Tree& next) {
  std::vector<Change> changes;
  std::vector<std::unique_ptr<Section>> sections;
  for (const Tree::Entry& entry : tree.entries_) {
    auto& section = sections.emplace_back(entry.section->clone());
    for (Change& change : section->take_over(next.at(entry.path))) {
      change.setting = entry.path + '.' + change.setting;
      changes.push_back(std::move(change));
    }
    if (auto fits = section->check(); !fits)
      return invalid(fmt::format("{}: {}, as long as what needs a restart is as it was", entry.path,
                                 fits.error().what));
  }
  for (std::size_t i = 0; i < sections.size(); ++i)
    tree.entries_[i].section = std::move(sections[i]);
  return changes;
}

}  // namespace tapio::config
