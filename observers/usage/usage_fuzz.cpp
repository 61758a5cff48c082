// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "collected.hpp"
#include "usage_observer.hpp"

namespace {

// Answers with what is left of the bytes, a part at a time, as a recording does that somebody
// wrote.
class Answers final : public tapio::Outside {
 public:
  explicit Answers(std::string_view bytes) : rest_(bytes) {}

  std::string ask(std::string_view, const Look&) override {
    if (rest_.empty()) return {};
    const auto size = std::min<std::size_t>(static_cast<unsigned char>(rest_[0]), rest_.size() - 1);
    const std::string answer(rest_.substr(1, size));
    rest_.remove_prefix(1 + size);
    return answer;
  }

 private:
  std::string_view rest_;
};

}  // namespace

// Whatever /proc says: no more records than there may be, and numbers that are some.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapio;
  const std::string bytes(data, data + size);
  Answers outside(bytes);
  usage::UsageObserver observer({.largest = 3}, usage::Files(Fd(), outside), 4096);
  Collected out;
  for (int second = 0; second < 60; ++second)
    observer.on_tick(std::chrono::seconds(second + 1), out);
  if (out.records.size() > 5 * 2 * 7) std::abort();
  for (const Record& record : out.records)
    if (!std::isfinite(std::get<double>(record.values[3]))) std::abort();
  return 0;
}
