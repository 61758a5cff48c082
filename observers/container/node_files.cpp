// SPDX-License-Identifier: Apache-2.0
#include "node_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cmath>

#include "base/fd.hpp"
#include "base/pack.hpp"
#include "cgroup_figures.hpp"
#include "decode/words.hpp"

namespace tapio::container {
namespace {

using Text = std::array<char, NodeFiles::kMaxText>;

// "" when it cannot be read.
std::string_view read_file(const std::string& path, Text& text) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto got = file ? ::read(file.get(), text.data(), text.size()) : -1;
  return got > 0 ? std::string_view(text.data(), static_cast<std::size_t>(got))
                 : std::string_view{};
}

void pack_pressure(Packer& pack, const std::optional<Pressure>& pressure) {
  pack(pressure.has_value());
  if (!pressure) return;
  const auto hundredths = [](double percent) {
    return static_cast<std::uint64_t>(std::lround(percent * 100));
  };
  pack(hundredths(pressure->some))(hundredths(pressure->full));
  pack(pressure->some_total)(pressure->full_total);
}

void unpack_pressure(Unpacker& unpack, std::optional<Pressure>& pressure) {
  bool known = false;
  if (unpack(known); !known) return;
  std::uint64_t some = 0, full = 0;
  Pressure& value = pressure.emplace();
  unpack(some)(full)(value.some_total)(value.full_total);
  value.some = static_cast<double>(some) / 100;
  value.full = static_cast<double>(full) / 100;
}

}  // namespace

void take_meminfo(std::string_view text, NodePressure& out) {
  const struct {
    std::string_view name;
    std::uint64_t* value;
  } keys[] = {{"MemTotal:", &out.memory_total},
              {"MemAvailable:", &out.memory_available},
              {"SwapTotal:", &out.swap_total},
              {"SwapFree:", &out.swap_free}};
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto name = proc::word(line);
    for (const auto& key : keys) {
      std::uint64_t kib = 0;
      if (name == key.name && proc::number(proc::word(line), kib) && kib <= UINT64_MAX / 1024)
        *key.value = kib * 1024;
    }
  }
}

NodePressure NodeFiles::read(MonotonicTime now) {
  const auto answer = outside_->ask("node", [&] {
    const NodePressure seen = look();
    Packer pack;
    for (const auto* each : {&seen.memory, &seen.cpu, &seen.io}) pack_pressure(pack, *each);
    pack(seen.memory_total)(seen.memory_available)(seen.swap_total)(seen.swap_free);
    return std::move(pack.bytes());
  });
  NodePressure seen;
  Unpacker unpack(answer);
  for (auto* each : {&seen.memory, &seen.cpu, &seen.io}) unpack_pressure(unpack, *each);
  unpack(seen.memory_total)(seen.memory_available)(seen.swap_total)(seen.swap_free);
  if (!unpack.done()) seen = {};
  seen.time = now;
  return seen;
}

NodePressure NodeFiles::look() const {
  Text text;
  NodePressure seen;
  seen.memory = parse_pressure(read_file(proc_ + "/pressure/memory", text));
  seen.cpu = parse_pressure(read_file(proc_ + "/pressure/cpu", text));
  seen.io = parse_pressure(read_file(proc_ + "/pressure/io", text));
  take_meminfo(read_file(proc_ + "/meminfo", text), seen);
  return seen;
}

}  // namespace tapio::container
