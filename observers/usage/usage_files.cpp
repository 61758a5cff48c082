// SPDX-License-Identifier: Apache-2.0
#include "usage_files.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <array>
#include <charconv>
#include <memory>

#include "base/pack.hpp"
#include "decode/proc_stat.hpp"

namespace tapio::usage {

namespace {

using Directory = std::unique_ptr<DIR, Freed<closedir>>;

constexpr std::size_t kMaxStat = 1024;  // 52 numbers and a name

std::uint32_t pid_of(std::string_view name) {
  std::uint32_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  return error == std::errc() && end == name.data() + name.size() ? pid : 0;
}

}  // namespace

std::vector<std::uint32_t> Files::processes() {
  const std::string answer = outside_->ask("processes", [this] { return list(); });
  Unpacker unpack(answer);
  std::uint64_t count = 0;
  unpack(count);
  std::vector<std::uint32_t> pids;
  for (std::uint64_t i = 0; i < count && i < kMaxProcesses && unpack.ok(); ++i)
    unpack(pids.emplace_back());
  if (!unpack.ok()) pids.clear();
  return pids;
}

std::string Files::list() const {
  std::vector<std::uint32_t> pids;
  const Directory directory(
      ::fdopendir(::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    const std::uint32_t pid = pid_of(entry->d_name);
    if (pid != 0) pids.push_back(pid);
    if (pids.size() == kMaxProcesses) break;
  }
  Packer pack;
  pack(pids.size());
  for (const std::uint32_t pid : pids) pack(pid);
  return std::move(pack.bytes());
}

std::vector<Reading> Files::read(std::span<const std::uint32_t> pids) {
  const std::string answer = outside_->ask("usage of processes", [&] { return read_all(pids); });
  Unpacker unpack(answer);
  std::uint64_t count = 0;
  unpack(count);
  std::vector<Reading> readings;
  for (std::uint64_t i = 0; i < count && i < pids.size() && unpack.ok(); ++i) {
    Reading reading;
    std::string_view name;
    unpack(reading.pid)(reading.start_ticks)(reading.cpu_ticks)(reading.resident_pages)(name);
    reading.name = name.substr(0, kMaxName);
    if (unpack.ok()) readings.push_back(std::move(reading));
  }
  return readings;
}

std::string Files::read_all(std::span<const std::uint32_t> pids) const {
  std::vector<Reading> readings;
  for (const std::uint32_t pid : pids)
    if (auto reading = read_one(pid)) readings.push_back(std::move(*reading));
  Packer pack;
  pack(readings.size());
  for (const Reading& one : readings)
    pack(one.pid)(one.start_ticks)(one.cpu_ticks)(one.resident_pages)(std::string_view(one.name));
  return std::move(pack.bytes());
}

std::optional<Reading> Files::read_one(std::uint32_t pid) const {
  const std::string path = std::to_string(pid) + "/stat";
  const Fd file(::openat(directory_.get(), path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, kMaxStat> text;
  const ssize_t got = file ? ::read(file.get(), text.data(), text.size()) : -1;
  if (got <= 0) return std::nullopt;
  const auto stat = proc::parse_stat({text.data(), static_cast<std::size_t>(got)});
  if (!stat || stat->dead()) return std::nullopt;
  return Reading{.pid = pid,
                 .start_ticks = stat->start_ticks,
                 .cpu_ticks = stat->cpu_ticks,
                 .resident_pages = stat->resident_pages,
                 .name = std::string(stat->name.substr(0, kMaxName))};
}

}  // namespace tapio::usage
