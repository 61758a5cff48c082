// SPDX-License-Identifier: Apache-2.0
#include "base/config_shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "base/text.hpp"

namespace tapio::config {

namespace {

// The branch at `dotted` below `branch`, grown where it is missing.
Branch& grow(Branch& branch, std::string_view dotted) {
  const auto dot = dotted.find('.');
  const auto name = dotted.substr(0, dot);
  auto found = std::ranges::find(branch.children, name, &Branch::name);
  if (found == branch.children.end()) {
    Branch added;
    added.name = name;
    added.path = branch.path.empty() ? added.name : branch.path + '.' + added.name;
    found = branch.children.insert(found, std::move(added));
  }
  assert(!found->setting && "a setting and a section, or two settings, of one name");
  return dot == dotted.npos ? *found : grow(*found, dotted.substr(dot + 1));
}

void collect_paths(const Branch& branch, std::vector<std::string>& out) {
  for (const Branch& child : branch.children) {
    out.push_back(child.path);
    collect_paths(child, out);
  }
}

}  // namespace

const Branch* Branch::child(std::string_view wanted) const {
  const auto found = std::ranges::find(children, wanted, &Branch::name);
  return found == children.end() ? nullptr : &*found;
}

const Branch* Branch::find(std::string_view dotted) const {
  if (dotted.empty()) return this;
  const auto dot = dotted.find('.');
  const Branch* next = child(dotted.substr(0, dot));
  if (!next || dot == dotted.npos) return next;
  const auto rest = dotted.substr(dot + 1);
  return rest.empty() ? nullptr : next->find(rest);
}

std::vector<std::string> Branch::child_names() const {
  std::vector<std::string> names;
  for (const Branch& each : children) names.push_back(each.name);
  return names;
}

std::vector<std::string> Branch::paths() const {
  std::vector<std::string> all;
  collect_paths(*this, all);
  return all;
}

Branch shape_of(const Tree& tree, Values values) {
  Branch root;
  for (std::size_t i = 0; i < tree.entries().size(); ++i) {
    const Tree::Entry& entry = tree.entries()[i];
    Branch& section = grow(root, entry.path);
    section.section = i;
    section.is_section = true;
    for (SettingInfo& info :
         (values == Values::initial ? entry.initial : entry.section)->settings()) {
      Branch& leaf = grow(section, info.name);
      assert(leaf.children.empty() && "a setting of the name of a mapping");
      leaf.section = i;
      leaf.setting = std::move(info);
    }
  }
  return root;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
  const auto near = nearest(word, known);
  return near.empty() ? "" : fmt::format(", did you mean '{}'?", near);
}

}  // namespace tapio::config
