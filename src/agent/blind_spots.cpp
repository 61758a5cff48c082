// SPDX-License-Identifier: Apache-2.0
#include "agent/blind_spots.hpp"

#include <fmt/format.h>

namespace tapio::agent {

namespace {

struct Sight {
  std::string_view observer, hook, what;  // in the words of people, in the plural
};

constexpr Sight kSights[] = {
    {"process", "fork", "starts of processes"},
    {"process", "exec", "programs that are executed"},
    {"process", "exit", "ends of processes"},
    {"process", "signal_generate", "signals, and who sends them,"},
    {"process", "oom", "victims of the OOM killer"},
    {"process", "credentials", "credentials between exec and exit"},
    {"container", "mkdir", "cgroups that come and go within seconds"},
};
// What other hooks tell too, only later or in less detail, makes nobody blind; nor does what no
// story asks for.
constexpr Sight kSpare[] = {
    {"process", "death", ""}, {"process", "signal_deliver", ""}, {"process", "exec_failed", ""},
    {"process", "trace", ""}, {"process", "traceme", ""},        {"container", "rmdir", ""},
};

bool is_spare(std::string_view observer, std::string_view hook) {
  for (const auto& known : kSpare)
    if (known.observer == observer && known.hook == hook) return true;
  return false;
}

std::string what_is_seen(std::string_view observer, std::string_view hook) {
  for (const auto& known : kSights)
    if (known.observer == observer && known.hook == hook) return std::string(known.what);
  return fmt::format("events of {}.{}", observer, hook);
}

}  // namespace

std::string blind_without(std::string_view observer, std::string_view state,
                          std::string_view reason) {
  if (state == "on" || state == "provider") return {};
  return fmt::format("nothing of the observer {} is known: {}", observer,
                     reason.empty() ? state : reason);
}

std::string blind_in(std::string_view observer, std::string_view hook, std::string_view program,
                     std::string_view canary) {
  const bool nobody_asked = program.empty() && canary.starts_with("off: ");
  if (is_spare(observer, hook) || nobody_asked) return {};
  if (program.empty())
    return fmt::format("{} are not seen here; `tapio doctor` says why",
                       what_is_seen(observer, hook));
  if (canary != "not seen") return {};
  return fmt::format("{} may be missed: the canary of {} was not seen",
                     what_is_seen(observer, hook), hook);
}

}  // namespace tapio::agent
