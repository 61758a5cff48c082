// SPDX-License-Identifier: Apache-2.0
#include "process_privilege_gain.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tapio::process {

namespace {

constexpr std::uint64_t kCapSetuid = 1u << 7;  // include/uapi/linux/capability.h

bool is_root(const Credentials& c) {
  return c.uid == 0 || c.euid == 0 || c.suid == 0;
}

// What capabilities(7) allows without an exec: who is root in one of its ids, or may set them, may
// become root; nobody gets a capability that it was not permitted.
bool was_entitled(const Credentials& before, const Credentials& after) {
  const bool ids = !is_root(after) || is_root(before) || (before.permitted & kCapSetuid);
  const bool regains = is_root(after) && (before.permitted & kCapSetuid);
  return ids && (regains || (after.permitted & ~before.permitted) == 0);
}

bool same_namespace(const Credentials& before, const Credentials& after) {
  return before.user_namespace == 0 || after.user_namespace == 0 ||
         before.user_namespace == after.user_namespace;
}

std::string how(const CredentialsChanged& fact) {
  if (fact.via != CredentialsVia::exec) return "without an exec";
  return fact.set_id_file ? "by a file with the set-user-ID or set-group-ID bit"
                          : "by a file with capabilities, or as root's exec";
}

std::string gain(const CredentialsChanged& fact) {
  const auto more = fact.after.permitted & ~fact.before.permitted;
  std::string text = fact.before.euid == fact.after.euid
                         ? fmt::format("user {}", fact.after.euid)
                         : fmt::format("user {} became {}", fact.before.euid, fact.after.euid);
  if (more != 0) text += fmt::format(", capabilities {:016x} more", more);
  return text + ", " + how(fact);
}

}  // namespace

void PrivilegeGain::on(const Lost& fact) {
  if (fact.observer == "process" && fact.event_class == TAPIO_STATE)
    lost_ = std::max(lost_, fact.to);
}

Severity PrivilegeGain::severity_of(const CredentialsChanged& fact) const {
  if (fact.via == CredentialsVia::exec) return Severity::info;
  const bool doubtful =
      fact.via == CredentialsVia::found && lost_.count() != 0 && fact.time < lost_ + kDoubt;
  return doubtful ? Severity::info : Severity::critical;
}

void PrivilegeGain::on(const CredentialsChanged& fact, Output& out) {
  if (!fact.gained || !same_namespace(fact.before, fact.after)) return;
  if (fact.via != CredentialsVia::exec && was_entitled(fact.before, fact.after)) return;
  const auto severity = severity_of(fact);
  const std::string key = severity == Severity::info
                              ? fmt::format("{} {}", fact.executable, fact.before.uid)
                              : fmt::format("{} {}", fact.process.pid, fact.process.start_ticks);
  if (!told_.use(key).tell(fact.time)) return;
  const std::string detail = gain(fact);
  Because because;
  because.add(fact.evidence);
  report({.detected = {.time = fact.time,
                       .what = Detection::privilege_gain,
                       .severity = severity,
                       .process = fact.process,
                       .process_name = fact.name,
                       .cgroup_id = fact.cgroup_id,
                       .count = 1,
                       .executable = fact.executable,
                       .detail = detail},
          .summary =
              fmt::format("{} may do more than before: {}", label(fact.name, fact.process), detail),
          .suggestion = severity == Severity::critical
                            ? "Nothing in Linux grants this: treat the machine as broken into."
                            : "Ask whether this user needs this program."},
         because, out);
}

}  // namespace tapio::process
