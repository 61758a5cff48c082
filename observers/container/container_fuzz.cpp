// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <vector>

#include "collected.hpp"
#include "container.abi.h"
#include "container_forecast.hpp"
#include "container_observer.hpp"

namespace {

// Whatever the files of a cgroup and of /proc say, what is taken of it can be packed, comes back
// the same, and is what others may rely on.
void read_files(std::string_view text) {
  using namespace tapio;
  container::Figures figures, again;
  container::take_memory_stat_v2(text, figures);
  container::take_memory_stat_v1(text, figures);
  container::take_memory_events(text, figures);
  container::take_oom_control(text, figures);
  container::take_pressure(text, figures);
  container::take_cpu_stat(text, figures);
  Packer pack, once_more;
  figures.pack(pack);
  Unpacker unpack(pack.bytes());
  again.unpack(unpack);
  again.pack(once_more);
  if (!unpack.done() || once_more.bytes() != pack.bytes()) std::abort();
  auto memory = container::memory_of(figures);
  if (memory.pressure && (memory.pressure->some > 100 || memory.pressure->some < 0)) std::abort();
  if (container::parse_pids(text).size() > container::Consumers::kMaxProcesses) std::abort();
  NodePressure node;
  container::take_meminfo(text, node);
  // As an answer in a recording.
  Unpacker hostile(text);
  again.unpack(hostile);
  container::Consumers consumers;
  consumers.unpack(hostile);
  if (consumers.largest.size() > container::Consumers::kMost) std::abort();
  container::Forecaster forecaster;
  memory = container::memory_of(again);
  for (int i = 1; i < 8; ++i) {
    memory.time = std::chrono::seconds(i);
    memory.usage += memory.usage / 8;
    (void)forecaster.take(memory, node.swap_free);
  }
}

}  // namespace

// Samples with any bytes behind a header that is let through, and the same bytes as the text of a
// limit and of other files. The observer refuses them, or gives out one fact and one record whose
// texts can be read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapio;
  const std::string text(data, data + size);
  (void)container::parse_limit(text);
  (void)container::parse_cpu_max(text);
  read_files(text);
  if (size < sizeof(tapio_event_header) || size > 0xffff) return 0;
  tapio_event_header header;
  std::memcpy(&header, data, sizeof header);
  header.kind = static_cast<std::uint16_t>(TAPIO_CONTAINER_CREATED + header.kind % 3);
  header.version = 1;
  header.size = static_cast<std::uint16_t>(size);
  header.event_class %= TAPIO_CLASSES;
  header.time_ns %= static_cast<std::uint64_t>(kLatestTime.count());
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), data, size);
  std::memcpy(bytes.data(), &header, sizeof header);

  const auto sample = wire::open_sample(bytes);
  if (!sample) std::abort();
  container::ContainerObserver observer({}, std::nullopt);
  Collected out;
  const std::size_t expected = observer.on_sample(*sample, out) ? 1 : 0;
  if (out.facts.size() != expected || out.records.size() != expected) std::abort();
  std::size_t read = 0;
  for (const Record& record : out.records)
    for (const Value& value : record.values)
      if (const auto* shown = std::get_if<std::string_view>(&value))
        for (const char c : *shown) read += static_cast<unsigned char>(c);
  return read == ~std::size_t{0};
}
