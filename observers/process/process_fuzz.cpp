// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <vector>

#include "collected.hpp"
#include "process.abi.h"
#include "process_observer.hpp"

namespace {

// Whoever is asked for, so that comparisons run, too.
class EverybodyIsKnown final : public tapio::World {
 public:
  [[nodiscard]] const tapio::Process* process(tapio::ProcessId) const override { return &one_; }
  [[nodiscard]] const tapio::Process* process(std::uint32_t) const override { return &one_; }
  [[nodiscard]] std::vector<const tapio::Process*> ancestors(tapio::ProcessId) const override {
    return {};
  }
  [[nodiscard]] tapio::MonotonicTime watching_since() const override {
    return tapio::MonotonicTime(1);
  }
  [[nodiscard]] const tapio::Cgroup* cgroup(std::uint64_t) const override { return nullptr; }
  [[nodiscard]] std::vector<tapio::MemoryPoint> memory(std::uint64_t) const override { return {}; }
  [[nodiscard]] std::vector<tapio::Change> changes(std::uint64_t, tapio::MonotonicTime,
                                                   tapio::MonotonicTime) const override {
    return {};
  }
  [[nodiscard]] const std::vector<std::string>& blind_spots() const override { return none_; }

 private:
  tapio::Process one_{.started = tapio::MonotonicTime(1), .credentials_known = true};
  std::vector<std::string> none_;
};

}  // namespace

// Samples with any bytes behind a header that is let through. Whatever is in them, the observer
// refuses them or gives out records whose texts can be read to the end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapio;
  if (size < sizeof(tapio_event_header) || size > 0xffff) return 0;
  tapio_event_header header;
  std::memcpy(&header, data, sizeof header);
  header.kind = static_cast<std::uint16_t>(TAPIO_PROCESS_FORK + header.kind % 11);
  header.version = header.kind <= TAPIO_PROCESS_DEATH ? 2 : 1;
  header.size = static_cast<std::uint16_t>(size);
  header.event_class %= TAPIO_CLASSES;
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), data, size);
  std::memcpy(bytes.data(), &header, sizeof header);

  const auto sample = wire::open_sample(bytes);
  if (!sample) std::abort();
  process::ProcessObserver observer({});
  const EverybodyIsKnown world;
  Collected out(world, {});
  const auto done = observer.on_sample(*sample, out);
  if (!done && (!out.facts.empty() || !out.records.empty())) std::abort();
  std::size_t read = 0;
  for (const Record& record : out.records)
    for (const Value& value : record.values) {
      if (const auto* text = std::get_if<std::string_view>(&value))
        for (const char c : *text) read += static_cast<unsigned char>(c);
      if (const auto* list = std::get_if<std::span<const std::string_view>>(&value))
        for (const auto item : *list) read += item.size();
    }
  return read == ~std::size_t{0};
}
