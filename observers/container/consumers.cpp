// SPDX-License-Identifier: Apache-2.0
#include "consumers.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "decode/proc_stat.hpp"
#include "decode/words.hpp"

namespace tapio::container {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
constexpr std::size_t kMaxStat = 1024;  // of /proc/PID/stat

std::string_view read_at(int directory, const std::string& file, std::span<char> text) {
  const Fd opened(::openat(directory, file.c_str(), O_RDONLY | O_CLOEXEC));
  const auto got = opened ? ::read(opened.get(), text.data(), text.size()) : -1;
  return got > 0 ? std::string_view(text.data(), static_cast<std::size_t>(got))
                 : std::string_view{};
}

// Those in it, and the directories below it.
void enter(const Fd& directory, std::vector<std::uint32_t>& pids, std::vector<Fd>& below) {
  std::array<char, Consumers::kMaxText> text;
  const auto found = parse_pids(read_at(directory.get(), "cgroup.procs", text));
  pids.insert(pids.end(), found.begin(), found.end());
  const int again = ::openat(directory.get(), ".", kDirectory);
  const std::unique_ptr<DIR, Freed<::closedir>> list(again < 0 ? nullptr : ::fdopendir(again));
  if (!list && again >= 0) ::close(again);
  if (!list) return;
  while (const dirent* entry = ::readdir(list.get())) {
    const std::string_view name = entry->d_name;
    if (entry->d_type != DT_DIR || name == "." || name == "..") continue;
    if (below.size() >= Consumers::kMaxDirectories) return;
    if (Fd opened(::openat(directory.get(), entry->d_name, kDirectory)); opened)
      below.push_back(std::move(opened));
  }
}

}  // namespace

void Consumers::pack(Packer& pack) const {
  pack(seen)(largest.size());
  for (const Consumer& each : largest) pack(each.pid)(each.rss)(std::string_view(each.name));
}

void Consumers::unpack(Unpacker& unpack) {
  std::size_t count = 0;
  largest.clear();
  unpack(seen)(count);
  if (count > kMost) unpack.fail();
  for (std::size_t i = 0; i < count && unpack.ok(); ++i) {
    std::string_view name;
    Consumer& each = largest.emplace_back();
    unpack(each.pid)(each.rss)(name);
    each.name = name;
  }
}

std::vector<std::uint32_t> parse_pids(std::string_view text) {
  std::vector<std::uint32_t> pids;
  for (auto word = proc::word(text); !word.empty(); word = proc::word(text)) {
    std::uint32_t pid = 0;
    if (!proc::number(word, pid) || pid == 0 || pids.size() >= Consumers::kMaxProcesses) break;
    pids.push_back(pid);
  }
  return pids;
}

Consumers consumers_of(const Fd& cgroup, const std::string& proc) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::vector<std::uint32_t> pids;
  std::vector<Fd> below;
  enter(cgroup, pids, below);
  for (std::size_t i = 0; i < below.size() && pids.size() < Consumers::kMaxProcesses; ++i) {
    const Fd directory = std::move(below[i]);  // the list grows meanwhile
    enter(directory, pids, below);
  }
  pids.resize(std::min(pids.size(), Consumers::kMaxProcesses));
  Consumers found;
  for (const std::uint32_t pid : pids) {
    std::array<char, kMaxStat> text;
    const auto path = proc + "/" + std::to_string(pid) + "/stat";
    const auto stat = proc::parse_stat(read_at(AT_FDCWD, path, text));
    if (!stat || stat->dead()) continue;
    found.seen++;
    found.largest.push_back({.pid = pid,
                             .rss = stat->resident_pages * page,
                             .name = std::string(stat->name.substr(0, Consumers::kMaxName))});
  }
  std::ranges::stable_sort(found.largest, std::ranges::greater(), &Consumer::rss);
  found.largest.resize(std::min(found.largest.size(), Consumers::kMost));
  return found;
}

}  // namespace tapio::container
