// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <vector>

#include "collected.hpp"
#include "container.abi.h"
#include "container_observer.hpp"

// Samples with any bytes behind a header that is let through, and the same bytes as the text of a
// limit. The observer refuses them, or gives out one fact and one record whose texts can be read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapio;
  const std::string text(data, data + size);
  (void)container::parse_limit(text);
  (void)container::parse_cpu_max(text);
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
