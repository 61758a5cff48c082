// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "capture/merge.hpp"
#include "decode/intake.hpp"

// A buffer's records with any bytes in them: each begins with its length in two bytes. What is
// handed out has a header that its readers may rely on, and the books tell of every record.
namespace {

using namespace tapio;

constexpr std::uint8_t kKnown = 0x01;  // the only observer that is admitted

void require(bool holds) {
  if (!holds) std::abort();
}

// Gives each record to `take`, in a copy of its exact size; returns how many there were.
template <typename Take>
std::uint64_t each_record(Bytes data, const Take& take) {
  std::uint64_t records = 0;
  while (data.size() >= 2) {
    std::uint16_t size = 0;
    std::memcpy(&size, data.data(), sizeof size);
    data = data.subspan(sizeof size);
    const std::vector<std::byte> record(
        data.begin(), data.begin() + std::min<std::ptrdiff_t>(size, std::ssize(data)));
    take(Bytes(record));
    data = data.subspan(record.size());
    ++records;
  }
  return records;
}

// In order of time they are the same ones, and none twice.
void check_order(const std::vector<std::byte>& block, std::uint64_t samples) {
  capture::Merge merge;
  Intake::each(block, [&](const wire::Sample& sample) {
    merge.push(MonotonicTime(sample.header.time_ns), sample.bytes);
  });
  MonotonicTime last = MonotonicTime::min();
  merge.release(MonotonicTime::max(), [&](Bytes bytes, bool) {
    const auto sample = wire::open_sample(bytes);
    require(sample && MonotonicTime(sample->header.time_ns) >= last);
    last = MonotonicTime(sample->header.time_ns);
    --samples;
  });
  require(samples == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  capture::Ledger ledger(-1, 4096);  // of no map: what was read needs none
  Intake intake;
  intake.admit(kKnown, ledger);
  const auto take = intake.taker();
  const auto records = each_record(std::as_bytes(std::span(data, size)), take);

  std::vector<std::byte> block;
  intake.next(block, {});
  std::uint64_t handed_out = 0;
  Intake::each(block, [&](const wire::Sample& sample) {
    const auto& header = sample.header;
    require(header.kind >> 8 == kKnown && header.size == sample.bytes.size());
    require(header.hook < TAPIO_MAX_HOOKS && header.event_class < TAPIO_CLASSES);
    require(!(header.flags & TAPIO_CANARY));
    ++handed_out;
  });
  const auto counts = intake.counts(kKnown);
  require(handed_out == counts.queued && handed_out == intake.handed_out());
  require(counts.read == counts.canary + counts.queued);
  require(records == counts.read + intake.malformed());
  check_order(block, handed_out);
  return 0;
}
