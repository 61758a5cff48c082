// SPDX-License-Identifier: Apache-2.0
#include "cgroup_files.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <span>

namespace tapio::container {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;

// The number that `text` is but for a newline at its end.
std::optional<std::uint64_t> number(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

using Text = std::array<char, CgroupFiles::kMaxText>;

// "" when it cannot be read.
std::string_view read(const Fd& directory, const char* file, std::span<char> text) {
  const Fd opened{::openat(directory.get(), file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!opened) return {};
  const auto got = ::read(opened.get(), text.data(), text.size());
  return got > 0 ? std::string_view(text.data(), static_cast<std::size_t>(got))
                 : std::string_view{};
}

}  // namespace

std::string_view name(Limit limit) {
  switch (limit) {
    case Limit::memory:
      return "memory.max";
    case Limit::cpu:
      return "cpu.max";
    case Limit::pids:
      return "pids.max";
  }
  return "";
}

std::optional<std::uint64_t> parse_limit(std::string_view text) {
  if (text == "max\n" || text == "max") return kNoLimit;
  const auto value = number(text);
  return value && *value >= kMostOfV1 ? kNoLimit : value;
}

std::optional<std::uint64_t> parse_cpu_max(std::string_view text) {
  const auto blank = text.find(' ');
  if (blank == text.npos) return std::nullopt;
  const auto period = number(text.substr(blank + 1));
  if (!period || *period == 0) return std::nullopt;
  if (text.substr(0, blank) == "max") return kNoLimit;
  const auto quota = number(text.substr(0, blank));
  constexpr std::uint64_t kMost = UINT64_MAX / 1000;
  if (!quota || *quota > kMost) return std::nullopt;
  return *quota * 1000 / *period;
}

Result<CgroupFiles> CgroupFiles::open(const capture::Hierarchy& hierarchy) {
  if (hierarchy.mount.empty()) return fail(Fault::unsupported, "no cgroup file system is mounted");
  Fd root{::open(hierarchy.mount.c_str(), kDirectory)};
  if (!root) return from_errno(errno, "open " + hierarchy.mount);
  return CgroupFiles(std::move(root), hierarchy.subsystem == TAPIO_CGROUP_V2);
}

Result<Fd> CgroupFiles::directory(std::string_view path, std::uint64_t id) const {
  Fd found{::openat(root_.get(), ("." + std::string(path)).c_str(), kDirectory)};
  if (!found) return from_errno(errno, "open a cgroup");
  if (capture::cgroup_id_of(found.get()) != id)
    return fail(Fault::unavailable, "another cgroup is there by now");
  return found;
}

std::optional<std::uint64_t> CgroupFiles::limit(const Fd& directory, Limit limit) const {
  Text text;
  switch (limit) {
    case Limit::memory:
      return parse_limit(read(directory, v2_ ? "memory.max" : "memory.limit_in_bytes", text));
    case Limit::cpu:
      return v2_ ? parse_cpu_max(read(directory, "cpu.max", text)) : std::nullopt;
    case Limit::pids:
      return parse_limit(read(directory, "pids.max", text));
  }
  return std::nullopt;
}

std::optional<std::uint64_t> CgroupFiles::memory_usage(const Fd& directory) const {
  Text text;
  return number(read(directory, v2_ ? "memory.current" : "memory.usage_in_bytes", text));
}

void CgroupFiles::details(const Fd& directory, Figures& out) const {
  std::array<char, kMaxStat> text;
  const auto file = [&](const char* name) { return read(directory, name, text); };
  if (v2_) {
    take_memory_stat_v2(file("memory.stat"), out);
    take_memory_events(file("memory.events"), out);
    take_pressure(file("memory.pressure"), out);
    out[Figure::swap] = number(file("memory.swap.current"));
    out[Figure::swap_max] = parse_limit(file("memory.swap.max"));
  } else {
    take_memory_stat_v1(file("memory.stat"), out);
    take_oom_control(file("memory.oom_control"), out);
    // Which of the two counters fails, when both are at the same limit, is the second.
    const auto memory = number(file("memory.failcnt"));
    const auto with_swap = number(file("memory.memsw.failcnt"));
    if (memory) out[Figure::max] = *memory + with_swap.value_or(0);
  }
  // On v1 only where the controllers share a hierarchy.
  take_cpu_stat(file("cpu.stat"), out);
}

}  // namespace tapio::container
