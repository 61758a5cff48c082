// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "collected.hpp"
#include "empty_world.hpp"
#include "enrich/world.hpp"
#include "process.abi.h"
#include "process_observer.hpp"

namespace {

// Whoever is asked for, so that comparisons run, too.
class EverybodyIsKnown final : public tapio::EmptyWorld {
 public:
  [[nodiscard]] const tapio::Process* process(tapio::ProcessId) const override { return &one_; }
  [[nodiscard]] const tapio::Process* process(std::uint32_t) const override { return &one_; }
  [[nodiscard]] tapio::MonotonicTime watching_since() const override {
    return tapio::MonotonicTime(1);
  }

 private:
  tapio::Credentials none_;
  tapio::Process one_{.started = tapio::MonotonicTime(1), .credentials = &none_};
};

// The sample at the front of the input, behind a header that is let through; empty: there is none.
std::vector<std::byte> next_sample(std::span<const std::uint8_t>& data) {
  tapio_event_header header;
  if (data.size() < sizeof header) return {};
  std::memcpy(&header, data.data(), sizeof header);
  const std::size_t rest = std::min<std::size_t>(data.size(), 0xffff);
  const auto size = header.size < sizeof header ? rest : std::min<std::size_t>(header.size, rest);
  header.kind = static_cast<std::uint16_t>(TAPIO_PROCESS_FORK + header.kind % 11);
  header.version = header.kind <= TAPIO_PROCESS_DEATH ? 2 : 1;
  header.size = static_cast<std::uint16_t>(size);
  header.event_class %= TAPIO_CLASSES;
  header.time_ns %= static_cast<std::uint64_t>(tapio::kLatestTime.count());
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), data.data(), size);
  std::memcpy(bytes.data(), &header, sizeof header);
  data = data.subspan(size);
  return bytes;
}

// The observer refuses it, or gives out something.
void take(tapio::Observer& observer, tapio::Bytes bytes, tapio::Collected& out) {
  const auto sample = tapio::wire::open_sample(bytes);
  if (!sample) std::abort();
  const std::size_t facts = out.facts.size(), records = out.records.size();
  const auto done = observer.on_sample(*sample, out);
  if (!done && (out.facts.size() > facts || out.records.size() > records)) std::abort();
}

// What it withheld, it can make a record of.
void make_rest(const tapio::Observer& observer, tapio::Collected& out) {
  for (const auto& [origin, bytes] : std::exchange(out.unmade, {})) {
    const auto sample = tapio::wire::open_sample(bytes);
    const auto record = observer.make_record(*sample, out.clocks(), out.arena());
    if (!record || record->origin.pid != origin.pid || record->origin.time != origin.time)
      std::abort();
    out.records.push_back(*record);
  }
}

// Its detectors hear what it says, as they do in the agent, and what they say.
void tell(tapio::Observer& observer, tapio::Collected& out, std::size_t& told) {
  for (; told < out.facts.size(); ++told) {
    const tapio::Fact fact = out.facts[told];
    observer.on_fact(fact, out);
  }
}

std::size_t read_all(const std::vector<tapio::Record>& records) {
  std::size_t read = 0;
  for (const tapio::Record& record : records)
    for (const tapio::Value& value : record.values) {
      if (const auto* text = std::get_if<std::string_view>(&value))
        for (const char c : *text) read += static_cast<unsigned char>(c);
      if (const auto* list = std::get_if<std::span<const std::string_view>>(&value))
        for (const auto item : *list) read += item.size();
    }
  return read;
}

}  // namespace

// Samples, one after another, with any bytes behind headers that are let through. Whatever is in
// them, the observer refuses them or gives out records whose texts can be read to the end, and its
// detectors bear it; in a world where everybody is known, and in one that learns from the samples.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapio;
  static const EverybodyIsKnown everybody;
  std::size_t read = 0;
  for (const bool learns : {false, true}) {
    KnownWorld known;
    const World& world = learns ? static_cast<const World&>(known) : everybody;
    process::ProcessObserver observer({});
    Collected out(world, [&](const Fact& fact) { known.apply(fact); });
    std::size_t told = 0;
    std::span<const std::uint8_t> rest(data, size);
    for (auto bytes = next_sample(rest); !bytes.empty(); bytes = next_sample(rest)) {
      take(observer, bytes, out);
      tell(observer, out, told);
      make_rest(observer, out);
    }
    observer.on_tick(MonotonicTime::max() / 2, out);
    tell(observer, out, told);
    read += read_all(out.records);
  }
  return read == ~std::size_t{0};
}
