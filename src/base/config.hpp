// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/settings.hpp"

// The configuration file: strict YAML over sections of typed settings.
//
// One document, a mapping of mappings, UTF-8. No tags, anchors, aliases or merge keys. Lists take a
// sequence or a single value. Values, not keys, may hold ${NAME} or ${NAME:-default} from the
// environment, quoted or not; the default is taken when NAME is unset or empty, as in a shell. What
// is put in is never read as YAML or looked at for another ${. $$ is a literal $, and so is a $
// before anything else. A mapping without content (`dns:`) says nothing, but `dns: {}` that it is
// there.
namespace tapio::config {

// Bounds of the file; what exceeds one is refused.
constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMaxDepth = 16;      // of mappings and lists in one another
constexpr std::size_t kMaxNodes = 10'000;  // keys, values, mappings and lists
// Problems told of one file; the rest are counted in one last line.
constexpr std::size_t kMaxProblems = 100;

struct Problem {
  std::string file;
  int line = 0, column = 0;  // from 1, in characters; 0: the file as a whole
  std::string what;          // one printable sentence that says what to do; no secret in it
};

// "tapio.yaml:12:5: unknown setting 'rate' in observers.process, did you mean ..."
[[nodiscard]] std::string to_string(const Problem& problem);

// As std::getenv: nullptr for a variable that is not set.
using Environment = std::function<const char*(const char* name)>;

// The typed configuration: sections by dotted path.
class Tree {
 public:
  struct Entry {
    std::string path;  // "observers.process"
    std::string summary;
    std::unique_ptr<Section> section;
    std::unique_ptr<Section> initial;  // as it was added: the defaults
    bool present = false;
  };

  // The values that `section` holds are the defaults. No path may be added twice, or be the name of
  // another section's setting.
  void add(std::string path, std::unique_ptr<Section> section, std::string summary);

  // Asking for a path that was not added is a bug (std::out_of_range). References last until the
  // next load().
  [[nodiscard]] const Section& at(std::string_view path) const;
  [[nodiscard]] Section& at(std::string_view path);
  [[nodiscard]] bool contains(std::string_view path) const;

  // The same sections with the same values.
  [[nodiscard]] Tree clone() const;

  // Whether the loaded file says something about this section, be it `{}`.
  [[nodiscard]] bool present(std::string_view path) const;

  // In the order in which they were added.
  [[nodiscard]] std::span<const Entry> entries() const { return entries_; }

 private:
  friend std::vector<Problem> load(Tree&, std::string_view, const std::string&, const Environment&);
  friend Result<std::vector<Change>> take_over(Tree&, const Tree&);
  [[nodiscard]] std::size_t index_of(std::string_view path) const;

  std::vector<Entry> entries_;
};

// Reads a file into the tree; settings that it does not name get their defaults. Returns all that
// is wrong with it, by line; unless that is nothing, the tree stays as it was.
[[nodiscard]] std::vector<Problem> load(Tree& tree, std::string_view yaml, const std::string& file,
                                        const Environment& environment);

// Compares with a tree of the same sections, and takes over what a reload may change; returns every
// setting that differs. All or nothing: when the new values contradict old ones that only the next
// start changes, that is the error.
[[nodiscard]] Result<std::vector<Change>> take_over(Tree& tree, const Tree& next);

// The default file: every setting with its help, type and range, and its default behind a # without
// a space. It loads, and changes nothing.
[[nodiscard]] std::string default_yaml(const Tree& tree);

// The configuration in force; secrets are ***.
[[nodiscard]] std::string effective_yaml(const Tree& tree);

// Lines for people about everything (""), a part ("observers.process"), or one setting
// ("observers.process.rate_per_second").
[[nodiscard]] Result<std::string> explain(const Tree& tree, std::string_view key);

// The page of all settings for docs/.
[[nodiscard]] std::string settings_markdown(const Tree& tree);

}  // namespace tapio::config
