// SPDX-License-Identifier: Apache-2.0
#include "agent/kernel_support.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tapio::agent {

namespace {

using serve::Json;

// "6.18" of "6.18.44-cloud-amd64"; what has no second dot is taken whole.
std::string_view major_minor(std::string_view release) {
  const auto first = release.find('.');
  return release.substr(0, first == release.npos ? first : release.find('.', first + 1));
}

const Json* find_kernel(const Json& support, const Running& running) {
  const Json* near = nullptr;
  for (const Json& kernel : support["kernels"].items()) {
    const auto release = kernel["release"].text();
    if (kernel["arch"].text() != running.machine) continue;
    if (release == running.release) return &kernel;
    if (!near && major_minor(release) == major_minor(running.release)) near = &kernel;
  }
  return near;
}

bool works(const Json& program) {
  const auto state = program["state"].text();
  return state == "fired" || state == "ran" || state == "attached";
}

// The setting that the program has to be asked for by, or nullptr.
const char* setting_of(const Json& program, std::span<const capture::Candidate> candidates) {
  const auto found = std::ranges::find_if(candidates, [&](const capture::Candidate& candidate) {
    return candidate.program == program["program"].text();
  });
  return found == candidates.end() ? nullptr : found->setting;
}

}  // namespace

std::string known_about(const Json& support, const Running& running, std::string_view observer,
                        std::string_view hook, std::span<const capture::Candidate> candidates) {
  const Json* kernel = find_kernel(support, running);
  if (!kernel) return "";
  const Json* first = nullptr;
  std::string when_asked;
  const auto on = fmt::format("{} ({}, {})", major_minor(running.release),
                              (*kernel)["release"].text(), (*kernel)["date"].text());
  for (const Json& program : (*kernel)["programs"].items()) {
    if (program["observer"].text() != observer || program["hook"].text() != hook) continue;
    const char* setting = setting_of(program, candidates);
    if (works(program) && !setting)
      return fmt::format(
          "known: {} {} on {}; this kernel is built, configured or locked down otherwise",
          program["program"].text(), program["state"].text(), on);
    if (works(program) && when_asked.empty())
      when_asked = fmt::format("known: {} {} on {}, with {}: true", program["program"].text(),
                               program["state"].text(), on, setting);
    if (!first) first = &program;
  }
  if (!first || !when_asked.empty()) return when_asked;
  const auto reason = (*first)["reason"].text();
  return fmt::format("known: {} {} on {}", (*first)["program"].text(),
                     (*first)["state"].text() == "unsupported"
                         ? std::string(reason)
                         : fmt::format("is refused: {}", reason),
                     on);
}

}  // namespace tapio::agent
