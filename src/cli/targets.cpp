// SPDX-License-Identifier: Apache-2.0
#include "cli/targets.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/settings.hpp"
#include "base/text.hpp"

namespace tapio::cli {

namespace {

std::string_view last_part(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

bool is_below(std::string_view name, std::string_view family) {
  return name.size() > family.size() && name.starts_with(family) && name[family.size()] == '.';
}

bool is_called(const Schema& schema, std::string_view word) {
  const auto last = last_part(schema.name);
  return schema.name == word || last == word ||
         (word.size() == last.size() + 1 && word.starts_with(last) && word.ends_with('s'));
}

void add(std::vector<const Schema*>& all, const Schema* schema) {
  if (std::ranges::find(all, schema) == all.end()) all.push_back(schema);
}

void add_observer(std::vector<const Schema*>& all, const Descriptor& observer) {
  for (const Schema* schema : observer.schemas) {
    const bool nested = std::ranges::any_of(
        observer.schemas, [&](const Schema* other) { return is_below(schema->name, other->name); });
    if (!nested) add(all, schema);
  }
}

void add_family(std::vector<const Schema*>& all, const Descriptor& observer,
                std::string_view word) {
  for (const Schema* head : observer.schemas) {
    if (!is_called(*head, word)) continue;
    add(all, head);
    for (const Schema* schema : observer.schemas)
      if (is_below(schema->name, head->name)) add(all, schema);
  }
}

std::unexpected<Error> unknown(const std::string& word,
                               std::span<const Descriptor* const> observers) {
  const auto known = targets(observers);
  const auto near = nearest(word, known);
  const std::string hint = near.empty() ? fmt::format("there are {}", fmt::join(known, ", "))
                                        : fmt::format("did you mean {}?", near);
  return invalid(fmt::format("nothing to trace is called {}; {}", config::shown(word), hint));
}

}  // namespace

Result<std::vector<const Schema*>> resolve(std::span<const std::string> words,
                                           std::span<const Descriptor* const> observers) {
  std::vector<const Schema*> all;
  for (const std::string& word : words) {
    const std::size_t before = all.size();
    bool found = false;
    for (const Descriptor* observer : observers) {
      if (observer->name == word)
        add_observer(all, *observer);
      else
        add_family(all, *observer, word);
      found = found || observer->name == word || all.size() > before;
    }
    // A word that adds nothing may repeat another; ask about it alone.
    if (!found && (words.size() == 1 || !resolve(std::span(&word, 1), observers)))
      return unknown(word, observers);
  }
  return all;
}

std::vector<std::string> targets(std::span<const Descriptor* const> observers) {
  std::vector<std::string> words;
  for (const Descriptor* observer : observers) {
    words.emplace_back(observer->name);
    for (const Schema* schema : observer->schemas) words.emplace_back(last_part(schema->name));
  }
  std::ranges::sort(words);
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

}  // namespace tapio::cli
