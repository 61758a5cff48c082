// SPDX-License-Identifier: Apache-2.0
#include "store_mark.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace tapio::store {

namespace {

// In the order of this machine's bytes: the file never leaves it.
using Written = std::array<std::uint64_t, 3>;
constexpr std::uint64_t kMagic = 0x6b72616d6f697074;

constexpr mode_t kOwnerOnly = 0600;

}  // namespace

std::optional<Mark::Given> Mark::open(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (file_) return std::nullopt;  // what the run before left has been read
  file_ = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly));
  if (!file_) return std::nullopt;
  Written before{};
  const bool whole = ::pread(file_.get(), before.data(), sizeof before, 0) == sizeof before;
  write();
  if (!whole || before[0] != kMagic) return std::nullopt;
  return Given{.run = static_cast<std::uint32_t>(before[1]), .records = before[2]};
}

void Mark::add(std::uint32_t run, std::uint64_t records) {
  const std::scoped_lock lock(mutex_);
  given_.run = run;
  given_.records += records;
  write();
}

// A mark that cannot be written (a full disk) makes the next run say less.
void Mark::write() {
  if (!file_ || given_.run == 0) return;
  const Written now = {kMagic, given_.run, given_.records};
  (void)!::pwrite(file_.get(), now.data(), sizeof now, 0);
}

}  // namespace tapio::store
