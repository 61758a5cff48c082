// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/config.hpp"

namespace tapio::config {
namespace {

enum class Form : std::uint8_t { text, json };
std::span<const EnumName<Form>> enum_names(Form) {
  static constexpr EnumName<Form> kNames[] = {{"text", Form::text}, {"json", Form::json}};
  return kNames;
}

struct Config {
  std::uint32_t rate = 200;
  std::uint64_t wide = 1;
  double share = 0.5;
  bool on = true;
  ByteSize ring{256 << 10};
  std::chrono::milliseconds every{250};
  std::string path = "/run";
  std::vector<std::string> names;
  std::vector<std::uint32_t> uids;
  Form form = Form::text;

  static constexpr auto settings() {
    return std::tuple{Setting{"rate", &Config::rate, "Help.", 1u, 9'999u},
                      Setting{"wide", &Config::wide, "Help."},
                      Setting{"share", &Config::share, "Help.", 0.0, 1.0},
                      Setting{"on", &Config::on, "Help."},
                      Setting{"ring", &Config::ring, "Help.", ByteSize{4096}, ByteSize{64 << 20}},
                      Setting{"every", &Config::every, "Help."},
                      Setting{"path", &Config::path, "Help."},
                      Setting{"filter.names", &Config::names, "Help."},
                      Setting{"filter.uids", &Config::uids, "Help."},
                      Setting{"form", &Config::form, "Help."}};
  }
};

const char* environment(const char* name) {
  return std::string_view(name) == "SET" ? "value ${SET} $$ 5" : nullptr;
}

void check(bool holds) {
  if (!holds) std::abort();
}

// Refused: the tree is as before and each sentence is one line. Accepted: what is then in force,
// written out and read again, is the same.
void check_one(std::string_view yaml) {
  Tree tree;
  tree.add("agent", section<Config>(), "The agent.");
  tree.add("observers.process", section<Config>(), "Processes.");
  const std::string before = effective_yaml(tree);
  const auto problems = load(tree, yaml, "fuzz.yaml", environment);
  const std::string after = effective_yaml(tree);
  check(problems.size() <= kMaxProblems + 1);
  for (const Problem& problem : problems)
    check(!to_string(problem).contains('\n') && problem.line >= 0);
  if (problems.empty()) {
    check(load(tree, after, "again.yaml", environment).empty());
    check(effective_yaml(tree) == after);
  } else {
    check(after == before);
  }
}

}  // namespace
}  // namespace tapio::config

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string yaml(data, data + size);
  tapio::config::check_one(yaml);
  return 0;
}
